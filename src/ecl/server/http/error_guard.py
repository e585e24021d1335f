"""One place that turns exceptions into responses."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecl.server.errors import BadRequest, ServiceError

__all__ = ["ErrorGuard"]

_log = logging.getLogger(__name__)

#: Longest request ID that a client may bring, in characters.
_MAX_REQUEST_ID = 64

Renderer = Callable[[ServiceError, Scope], Response]


class ErrorGuard:
    """
    The outermost layer of an API, within `ecl.server.http.request_id.RequestIds`.

    An error of the service is answered as such. Anything else is logged with its traceback and answered 500
    without saying more than the request ID. When the response has begun, the connection is cut instead, so that
    no client takes a part for the whole.

    Args:
        app: The API.
        render: How the API shows an error.
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

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            if len(Headers(scope=scope).get("x-openstack-request-id", "")) > _MAX_REQUEST_ID:
                raise BadRequest(f"A request ID may have at most {_MAX_REQUEST_ID} characters.")
            await self._app(scope, receive, noting_start)
        except ClientDisconnect:
            _log.info("the client went away: %s", _what(scope))
        except Exception as exc:
            if started:
                raise
            await self._render(_answer_to(exc, scope), scope)(scope, receive, send)


def _answer_to(exc: Exception, scope: Scope) -> ServiceError:
    if isinstance(exc, ServiceError):
        return exc
    _log.error("failed: %s", _what(scope), exc_info=exc)
    request_id = scope.get("ecl.request_id", "without ID")
    return ServiceError(f"The service failed. Its log says more about request {request_id}.")


def _what(scope: Scope) -> str:
    # The path as it came, still quoted: no client writes its own lines into the log.
    path = scope.get("raw_path", b"").decode("ascii", "backslashreplace")
    return f"{scope.get('ecl.request_id', '-')} {scope['method']} {path}"
