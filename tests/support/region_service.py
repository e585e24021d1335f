"""One region's image API in this process, on a free port, with tokens that a test makes up."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import requests
import uvicorn
from sqlalchemy import select
from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.api.app import build_image_app
from ecl.server.api.common.request import Service
from ecl.server.data.image_cache import ImageCache
from ecl.server.data.node import Node
from ecl.server.data.readiness import findings
from ecl.server.data.reaper import Reaper
from ecl.server.data.region import Region, claim_stores
from ecl.server.data.store.base import Store
from ecl.server.data.store.folder import FolderStore
from ecl.server.data.store.marker import NAME as MARKER
from ecl.server.data.web.store import HttpStore
from ecl.server.db.engine import Database
from ecl.server.db.schema import staged_data
from ecl.server.domain.caller import Caller
from ecl.server.errors import Unauthorized
from ecl.server.http.bounded_protocol import bounded_protocol
from ecl.server.http.health import Health
from ecl.server.http.request_id import RequestIds
from ecl.server.http.slots import TransferSlots
from ecl.server.identity.local.accounts import LocalAccounts
from ecl.server.jobs.copies.replicator import Replicator
from ecl.server.jobs.imports.importer import Importer
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.prefetch import Prefetcher
from ecl.server.process.database import database_url
from ecl.server.settings.model import ImageLimits, RegionSettings, Settings
from ecl.testing import ImageService
from support import object_stores
from support.object_stores import StoredObject, prefix_of
from support.stored import stored_file

__all__ = ["LICENSE_TYPES", "Client", "RegionService", "poll", "project_id", "run_region"]

LICENSE_TYPES = ("WindowsServer_2012R2_Standard_64bit_ComLicense", "Red_Hat_Enterprise_Linux_7_64bit_BYOL")
PATCH_21 = "application/openstack-images-v2.1-json-patch"


def project_id(name: str) -> str:
    """Return the made-up ID of a project: 32 hex digits."""
    return name.encode().hex().ljust(32, "0")[:32]


class TokenTable:
    """Knows a caller by the token that a test gave it."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def authenticate(self, token: str | None, service_token: str | None = None) -> Caller:
        """Return the caller. Raises Unauthorized."""
        try:
            return self.callers[token or ""]
        except KeyError:
            raise Unauthorized("This token is not valid.") from None


class Client:
    """A caller's own session; paths are relative to the region's endpoint."""

    def __init__(self, url: str, project: str, token: str | None) -> None:
        self.url = url
        self.project_id = project
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept"] = "application/json"
        if token is not None:
            self.session.headers["X-Auth-Token"] = token

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request, following no redirects."""
        return self.session.request(method, self.url + path, allow_redirects=False, timeout=60, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET *path*."""
        return self.request("GET", path, **options)

    def create(self, **attributes: Any) -> dict[str, Any]:
        """Create an image and return it as the service shows it."""
        response = self.request("POST", "/v2/images", json=attributes)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def patch(self, image_id: str, *operations: dict[str, Any]) -> requests.Response:
        """Update an image by 2.1 operations."""
        headers = {"Content-Type": PATCH_21}
        return self.request("PATCH", f"/v2/images/{image_id}", data=msgspec.json.encode(operations), headers=headers)

    def upload(self, image_id: str, data: Any, headers: dict[str, str] | None = None) -> requests.Response:
        """Send the bytes of an image."""
        all_headers = {"Content-Type": "application/octet-stream", **(headers or {})}
        return self.request("PUT", f"/v2/images/{image_id}/file", data=data, headers=all_headers)

    def active(self, data: bytes = b"0123456789", **attributes: Any) -> dict[str, Any]:
        """Create a raw image, upload *data*, and return the image."""
        image = self.create(**{"disk_format": "raw", "container_format": "bare", **attributes})
        response = self.upload(image["id"], data)
        assert response.status_code == 204, response.text
        return self.show(image["id"])

    def show(self, image_id: str) -> dict[str, Any]:
        """Return the image as the service shows it now."""
        response = self.get(f"/v2/images/{image_id}")
        assert response.status_code == 200, response.text
        return dict(response.json())

    def list_ids(self, query: str = "") -> list[str]:
        """Return the IDs of one page."""
        response = self.get("/v2/images" + query)
        assert response.status_code == 200, response.text
        return [image["id"] for image in response.json()["images"]]


@dataclass
class RegionService:
    """A running region."""

    url: str
    region: Region
    database: Database
    settings: Settings
    tokens: TokenTable
    clients: list[Client] = field(default_factory=list)

    def client(
        self,
        project: str = "alpha",
        *,
        roles: tuple[str, ...] = ("member", "reader"),
        region: str | None = "jp1",
    ) -> Client:
        """Return a client of *project*, whose token has *roles*."""
        token = f"token-{len(self.tokens.callers)}"
        self.tokens.callers[token] = Caller("a-user", project_id(project), region, frozenset(roles))
        return self._client(project_id(project), token)

    def admin(self) -> Client:
        """Return a client with the admin role."""
        return self.client("admin", roles=("admin",), region=None)

    def stranger(self, token: str | None = None) -> Client:
        """Return a client without a valid token."""
        return self._client("", token)

    def _client(self, project: str, token: str | None) -> Client:
        client = Client(self.url, project, token)
        self.clients.append(client)
        return client

    def data_files(self) -> list[Any]:
        """Return every file or object in the region's stores, unfinished uploads included, but for the markers."""
        files = (path for path in (self.settings.data_dir / "images").rglob("*") if path.is_file())
        return sorted(path for path in files if path.name != MARKER) + self._objects(staged=False)

    def staged_files(self) -> list[Any]:
        """Return every file or object in the region's staging area, but for the marker."""
        files = (path for path in (self.settings.data_dir / "staging").rglob("*") if path.is_file())
        return [path for path in files if path.name != MARKER] + self._objects(staged=True)

    def _objects(self, *, staged: bool) -> list[StoredObject]:
        if object_stores.chosen is None:
            return []
        # In a bucket, only the database knows the difference.
        with self.database.read() as connection:
            keys = set(connection.execute(select(staged_data.c.key)).scalars())
        found = object_stores.chosen.objects(prefix_of(self.settings.data_dir, "jp1"))
        return [each for each in found if (each.name in keys) == staged]

    def data_file(self, image_id: str, store: str = "folder") -> Any:
        """Return the file or object with the image's bytes in *store*."""
        return stored_file(self.database, self.settings.data_dir, image_id, store)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.url.removeprefix("http://").partition("/")[0].split(":")
        return host, int(port)


class _PromptServer(uvicorn.Server):
    """Notices at once that it should stop: there are many tests, each with a server of its own."""

    async def main_loop(self) -> None:
        """Run until told to stop."""
        while not self.should_exit:
            await asyncio.sleep(0.005)


def _with_background(app: ASGIApp, *background: AbstractAsyncContextManager[object]) -> ASGIApp:
    """Run the threads of *background* while the application lives."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        await receive()
        async with AsyncExitStack() as stack:
            for context in background:
                await stack.enter_async_context(context)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    return served


def _default_store(folder: Path) -> Store:
    if object_stores.chosen is not None:
        return object_stores.chosen.store(prefix_of(folder, "jp1"))
    return FolderStore(folder / "images" / "jp1")


@contextmanager
def run_region(
    folder: Path,
    *,
    limits: ImageLimits | None = None,
    store: Store | None = None,
    more_stores: Sequence[Store] = (),
    staging: Store | None = None,
    prefix: str = "",
    **more_settings: Any,
) -> Iterator[RegionService]:
    """Run region jp1 with its data in *folder* until the block ends; what was left there is taken over first."""
    url = ImageService._default_database_url(folder)
    settings = Settings(data_dir=folder, database_url=url, limits=limits or ImageLimits(), **more_settings)
    database = Database(database_url(settings))
    database.prepare()
    store = store or _default_store(folder)
    staging = staging or store.staging() or FolderStore(folder / "staging" / "jp1", "staging")
    if settings.show_multiple_locations:
        more_stores = (*more_stores, HttpStore("jp1", database, settings.imports))
    entry = RegionSettings("jp1", license_switch_types=LICENSE_TYPES)
    cache = None
    if settings.image_cache_dir is not None:
        cache = ImageCache(settings.image_cache_dir / "jp1", settings.image_cache_max_size)
    region = Region("jp1", entry, store, staging, tuple(more_stores), cache)
    claim_stores(region, database)
    node = Node(database, settings.node_lease)
    node.register()
    reaper = Reaper(database, [region], node)
    reaper.take_over()
    tokens = TokenTable()
    # Nothing here asks another region.
    destinations = Destinations(settings, LocalAccounts(database), "")
    prefetcher = Prefetcher(database)
    importer = Importer(settings, database, destinations, [region], node)
    replicator = Replicator(settings, database, destinations, node)
    served = Service(
        region,
        database,
        settings,
        node=node,
        importer=importer,
        replicator=replicator,
        destinations=destinations,
        slots=TransferSlots(settings.http.max_uploads, settings.http.max_downloads),
        prefetcher=prefetcher,
    )
    app = _with_background(build_image_app(served, tokens), node, reaper, importer, prefetcher)
    app = RequestIds(Health(app, lambda: findings(database, [region]), {prefix}))
    config = uvicorn.Config(
        app,
        http=bounded_protocol(settings.http),
        log_config=None,
        lifespan="on",
        root_path=prefix,
        timeout_graceful_shutdown=5,
    )
    server = _PromptServer(config)
    # With the protocol named, asyncio switches Nagle's delays off.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), name="test-region")
        thread.start()
        poll(lambda: server.started)
        service = RegionService(f"http://127.0.0.1:{port}", region, database, settings, tokens)
        try:
            yield service
        finally:
            for client in service.clients:
                client.session.close()
            server.should_exit = True
            thread.join()
            database.close()


def poll(condition: Any, seconds: float = 20) -> None:
    """Wait until *condition* is true. Fails after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
