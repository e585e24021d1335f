"""Assembles the service: database, regions with their stores, identity. Nothing else knows everything."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.api.app import build_image_app
from ecl.server.api.image_replicator import replicator_routes
from ecl.server.db.engine import Database
from ecl.server.identity.app import build_identity_app
from ecl.server.identity.tokens import Authenticator
from ecl.server.recovery import recover
from ecl.server.region import Region
from ecl.server.replicator.destinations import Destinations
from ecl.server.replicator.replicator import Replicator
from ecl.server.request_id import RequestIds
from ecl.server.settings import RegionSettings, Settings
from ecl.server.store.folder import FolderStore

__all__ = ["ServiceApp", "build_service"]

_log = logging.getLogger(__name__)


class ServiceApp:
    """
    The whole service as one ASGI application.

    ``/image/<region>`` is the image API of a region, ``/healthcheck`` says OK, all else is identity's.

    Args:
        background: What runs beside the requests: entered at start, left at stop in reverse order.
    """

    def __init__(
        self,
        identity: ASGIApp,
        images: Mapping[str, ASGIApp],
        database: Database,
        background: Sequence[AbstractAsyncContextManager[object]] = (),
    ) -> None:
        self._identity = identity
        self._images = images
        self._database = database
        self._background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        if path == "/healthcheck":
            await PlainTextResponse("OK")(scope, receive, send)
            return
        region = path.removeprefix("/image/").partition("/")[0]
        if path.startswith("/image/") and region in self._images:
            mounted = {**scope, "root_path": f"{scope.get('root_path', '')}/image/{region}"}
            await self._images[region](mounted, receive, send)
            return
        await self._identity(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start what runs in the background, wait for the end, and stop it."""
        await receive()
        async with AsyncExitStack() as stack:
            stack.callback(self._database.close)
            try:
                for context in self._background:
                    await stack.enter_async_context(context)
            except Exception:  # noqa: BLE001 - whatever it was, the server is told and stops
                _log.exception("the service cannot start")
                await send({"type": "lifespan.startup.failed", "message": ""})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def build_service(settings: Settings, database: Database, own_url: str) -> tuple[ASGIApp, Replicator]:
    """
    Return the service on a *database* whose schema is prepared, and its replicator, to stop that early.

    Regions are put in order first, so nothing is half-done when the first request comes.

    Args:
        own_url: Where this process will listen; the replicator reaches its own regions there.

    Raises:
        StoreError: A store cannot be opened.
    """
    authenticator = Authenticator(database)
    destinations = Destinations(settings, database, own_url)
    replicator = Replicator(settings, database, destinations)
    routes = replicator_routes(replicator, destinations)
    images: dict[str, ASGIApp] = {}
    for entry in settings.regions:
        if not entry.is_remote:
            region = _open_region(entry, settings)
            recover(region, database)
            images[region.name] = build_image_app(region, database, authenticator, settings, routes)
    service = ServiceApp(build_identity_app(database, settings), images, database, [replicator])
    return RequestIds(service, access_log=settings.access_log), replicator


def _open_region(entry: RegionSettings, settings: Settings) -> Region:
    folder = entry.store_dir or settings.data_dir / "images" / entry.name
    return Region(entry.name, entry, FolderStore(folder.absolute()))
