"""The identity API: the part of Keystone v3 that image clients use, as one ASGI application."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecl.server.db.engine import Database
from ecl.server.errors import ServiceError
from ecl.server.http.errors import headers_of, status_of
from ecl.server.http.routing import json_response
from ecl.server.identity.local import documents
from ecl.server.identity.local.credential_routes import credential_routes
from ecl.server.identity.local.grant_routes import grant_routes
from ecl.server.identity.local.project_routes import project_routes
from ecl.server.identity.local.reading_routes import reading_routes
from ecl.server.identity.local.service import IdentityService, route
from ecl.server.identity.local.token_routes import token_routes
from ecl.server.identity.local.user_routes import user_routes
from ecl.server.settings.model import Settings

__all__ = ["build_identity_app"]

_log = logging.getLogger(__name__)

#: Seconds between two lines about clients that went away.
_LOG_INTERVAL = 10


def build_identity_app(database: Database, settings: Settings) -> ASGIApp:
    """Build the identity API, for ``/`` and all below ``/v3``."""
    service = IdentityService(database, settings)

    async def list_versions(request: Request) -> Response:
        base = service.base(request)
        return json_response(documents.versions(base), 300, {"Location": f"{base}/v3/"})

    async def show_version(request: Request) -> Response:
        return json_response({"version": documents.version(service.base(request))})

    async def refuse(request: Request, exc: Exception) -> Response:
        if isinstance(exc, ClientDisconnect):
            raise exc
        return _refusal(exc, service.base(request))

    app = Starlette(
        routes=[
            route("/", GET=list_versions),
            route("/v3", GET=show_version),
            *token_routes(service),
            *project_routes(service),
            *user_routes(service),
            *grant_routes(service),
            *credential_routes(service),
            *reading_routes(service),
        ],
        exception_handlers={ServiceError: refuse, HTTPException: refuse, Exception: refuse},
    )
    app.router.redirect_slashes = False
    return _AsKeystone(app)


class _AsKeystone:
    """
    Middleware for what Keystone does with every request: ignore a slash at the end, and send ``Vary``.

    A client that goes away is one line in the log, at most one line in `_LOG_INTERVAL` seconds: anybody can do that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._next_line = 0.0
        self._unlogged = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"vary", b"X-Auth-Token")]
            await send(message)

        # "/v3/auth/tokens/" means "/v3/auth/tokens".
        path = scope["path"].rstrip("/") or "/"
        try:
            await self._app({**scope, "path": path}, receive, send_with_vary)
        except ClientDisconnect:
            self._log_disconnect(scope)

    def _log_disconnect(self, scope: Scope) -> None:
        self._unlogged += 1
        if time.monotonic() >= self._next_line:
            request_id = scope.get("ecl.request_id", "-")
            _log.warning("identity: %d clients went away during a request, last %s", self._unlogged, request_id)
            self._next_line, self._unlogged = time.monotonic() + _LOG_INTERVAL, 0


def _refusal(exc: Exception, base: str) -> Response:
    """Return the error response for *exc*."""
    headers = {}
    if isinstance(exc, ServiceError):
        status, message = status_of(exc), exc.message
        headers = dict(headers_of(exc))
    elif isinstance(exc, HTTPException):
        status, message = exc.status_code, f"{HTTPStatus(exc.status_code).phrase}: no such resource or method."
        headers = dict(exc.headers or {})
    else:
        status, message = 500, "An unexpected error prevented the server from fulfilling your request."
    if status == 401:
        headers["WWW-Authenticate"] = f'Keystone uri="{base}/v3"'
    return json_response(documents.error_document(status, message), status, headers)
