"""Assembles the service from its parts. This is the only module that knows all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.api.app import ROUTES, build_image_app
from ecl.server.api.common.request import Service
from ecl.server.data.checks.scrub import Scrub
from ecl.server.data.metrics import data_text
from ecl.server.data.node import Node
from ecl.server.data.purge import Purge
from ecl.server.data.readiness import findings
from ecl.server.data.reaper import Reaper
from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.db.metadefs_load import load_metadefs
from ecl.server.http.access_log import Accounting
from ecl.server.http.health import Health
from ecl.server.http.metrics import Metrics, database_text
from ecl.server.http.metrics_app import MetricsApp
from ecl.server.http.request_id import RequestIds
from ecl.server.http.routing import json_response
from ecl.server.http.slots import TransferSlots
from ecl.server.identity.accounts import Accounts
from ecl.server.identity.authenticator import Authenticator
from ecl.server.identity.local.accounts import LocalAccounts
from ecl.server.identity.local.app import build_identity_app
from ecl.server.identity.local.tokens import Authenticator as LocalAuthenticator
from ecl.server.identity.local.tokens import purge_tokens
from ecl.server.jobs.copies.replicator import Replicator
from ecl.server.jobs.imports.importer import Importer
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.prefetch import Prefetcher
from ecl.server.settings.keystone import client_url
from ecl.server.settings.load import metrics_token
from ecl.server.settings.model import Settings

__all__ = ["ServiceApp", "build_service"]

_log = logging.getLogger(__name__)


class ServiceApp:
    """
    The whole service as one ASGI application.

    ``/image/<region>`` is the image API of a region, ``/openapi.json`` describes it, ``/metrics`` is for the
    monitoring system, and every other path goes to identity.

    Args:
        background: Contexts that are entered at start and left at stop, in reverse order: the lease, and threads.
    """

    def __init__(
        self,
        identity: ASGIApp,
        images: Mapping[str, ASGIApp],
        metrics: ASGIApp,
        database: Database,
        background: Sequence[AbstractAsyncContextManager[object]] = (),
    ) -> None:
        self._identity = identity
        self._images = images
        self._metrics = metrics
        self._database = database
        self._background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
            return
        path: str = scope["path"]
        if path == "/openapi.json" and scope["method"] == "GET":
            from ecl.server.api.openapi.document import openapi_document

            # Relative to the address of the document.
            document = openapi_document(ROUTES, [f"image/{region}" for region in self._images])
            await json_response(document)(scope, receive, send)
            return
        if path == "/metrics":
            await self._metrics(scope, receive, send)
            return
        region = path.removeprefix("/image/").partition("/")[0]
        if path.startswith("/image/") and region in self._images:
            mounted = {**scope, "root_path": f"{scope.get('root_path', '')}/image/{region}"}
            await self._images[region](mounted, receive, send)
            return
        await self._identity(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        """Start the background contexts, wait for the end of the server, and stop them."""
        await receive()
        async with AsyncExitStack() as stack:
            stack.callback(self._database.close)
            try:
                for context in self._background:
                    await stack.enter_async_context(context)
            except Exception:  # noqa: BLE001 - any failure stops the server
                _log.exception("the service cannot start")
                await send({"type": "lifespan.startup.failed", "message": ""})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who may do what, by the tables of the service or by a Keystone."""

    authenticator: Authenticator
    accounts: Accounts
    api: ASGIApp


def _identity(settings: Settings, database: Database) -> _Identity:
    if settings.keystone is None:
        api = build_identity_app(database, settings)
        return _Identity(LocalAuthenticator(database), LocalAccounts(database), api)
    from ecl.server.identity.keystone.accounts import KeystoneAccounts
    from ecl.server.identity.keystone.app import build_no_identity_app
    from ecl.server.identity.keystone.authenticator import KeystoneAuthenticator
    from ecl.server.identity.keystone.client import KeystoneClient
    from ecl.server.identity.keystone.mapping import IdentityMapping
    from ecl.server.identity.keystone.own_token import OwnToken

    client, own = KeystoneClient(settings.keystone), OwnToken()
    mapping = IdentityMapping(settings.keystone, client)
    return _Identity(
        KeystoneAuthenticator(settings.keystone, client, mapping, own),
        KeystoneAccounts(client, mapping, own),
        build_no_identity_app(client_url(settings.keystone)),
    )


def build_service(
    settings: Settings, database: Database, regions: Sequence[Region], own_url: str
) -> tuple[ASGIApp, Callable[[], None]]:
    """
    Return the service on a *database* whose schema is up to date, and a function that stops its jobs early.

    What an earlier process has left unfinished in the regions is taken over first.

    Args:
        regions: The regions that this process serves, opened.
        own_url: URL of this process; the replicator reaches the process's own regions there.

    Raises:
        StoreError: A store failed.
        MetadefsError: The metadata definitions cannot be loaded.
    """
    identity = _identity(settings, database)
    node = Node(database, settings.node_lease)
    node.register()
    names = [region.name for region in regions]
    purge = Purge(database, names, settings.upkeep, more=[purge_tokens])
    reaper = Reaper(database, regions, node, purge.run)
    reaper.take_over()
    for region in regions:
        if settings.metadefs_dir is not None:
            load_metadefs(database, region.name, settings.metadefs_dir)
    destinations = Destinations(settings, identity.accounts, own_url)
    replicator = Replicator(settings, database, destinations, node, regions)
    importer = Importer(settings, database, destinations, regions, node)
    prefetcher = Prefetcher(database)
    slots = TransferSlots(settings.http.max_uploads, settings.http.max_downloads)
    images = {
        region.name: build_image_app(
            Service(
                region,
                database,
                settings,
                node=node,
                importer=importer,
                replicator=replicator,
                destinations=destinations,
                slots=slots,
                prefetcher=prefetcher,
            ),
            identity.authenticator,
        )
        for region in regions
    }
    scrub = Scrub(database, regions, settings.upkeep, node)
    metrics = Metrics()
    metrics_app = MetricsApp(
        metrics,
        lambda: database_text(database) + data_text(database, regions, scrub.counters()),
        identity.authenticator.authenticate,
        metrics_token(settings),
        settings.metrics_networks,
    )
    background: list[AbstractAsyncContextManager[object]] = [node, reaper, scrub, replicator, importer, prefetcher]
    service = ServiceApp(identity.api, images, metrics_app, database, background)
    health = Health(service, lambda: findings(database, regions), {f"/image/{name}" for name in images})
    log = settings.access_log_format if settings.access_log else None
    accounting = Accounting(
        health, metrics, frozenset(images), log, [ip_network(network) for network in settings.trusted_proxies]
    )

    def stop_jobs() -> None:
        health.drain()
        replicator.stop()
        importer.stop()

    app: ASGIApp = RequestIds(accounting)
    if settings.testing:
        # Imported here, because no other service has any of it.
        from ecl.server.testing.bench import under_test

        app = under_test(app, settings, database, regions, purge.run)
    return app, stop_jobs
