"""The one place that turns exceptions into responses."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecl.server.db.failures import as_service_error
from ecl.server.domain.text import printable
from ecl.server.errors import BadRequest, ServiceError

__all__ = ["ErrorGuard"]

_log = logging.getLogger(__name__)

#: Longest request ID that a client may bring, in characters.
_MAX_REQUEST_ID = 64

Renderer = Callable[[ServiceError, Scope], Response]


class ErrorGuard:
    """
    The outermost layer of an API; it needs the request ID of `RequestIds`.

    A `ServiceError` becomes the response that *render* makes, and so does a failure of the database: it is 503 or 507.
    Any other exception is logged with its traceback, and the response is a 500 that tells only the request ID. If the
    response has begun, the connection is cut instead, so that no client takes a part for the whole.

    Args:
        app: The API.
        render: Makes the API's response to an error.
    """

    def __init__(self, app: ASGIApp, render: Renderer) -> None:
        self._app = app
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watching_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            if len(Headers(scope=scope).get("x-openstack-request-id", "")) > _MAX_REQUEST_ID:
                raise BadRequest(f"A request ID may have at most {_MAX_REQUEST_ID} characters.")
            await self._app(scope, receive, watching_send)
        except ClientDisconnect:
            _log.info("the client went away: %s", _what(scope))
        except Exception as exc:
            if started:
                raise
            await self._render(_as_service_error(exc, scope), scope)(scope, receive, send)


def _as_service_error(exc: Exception, scope: Scope) -> ServiceError:
    if isinstance(exc, ServiceError):
        return exc
    failure = as_service_error(exc)
    if failure is not None:
        # One line: while the database is away, a traceback for each request would fill the log.
        _log.error("failed: %s: %s (%s)", _what(scope), failure.message, printable(getattr(exc, "orig", None) or exc))
        return failure
    _log.error("failed: %s", _what(scope), exc_info=exc)
    request_id = scope.get("ecl.request_id", "without ID")
    return ServiceError(f"The service failed. Its log says more about request {request_id}.")


def _what(scope: Scope) -> str:
    # The raw path is still percent-encoded, so no client can write lines of its own into the log.
    path = scope.get("raw_path", b"").decode("ascii", "backslashreplace")
    return f"{scope.get('ecl.request_id', '-')} {scope['method']} {path}"
