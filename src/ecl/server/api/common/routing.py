"""Paths to handlers: one resource for a path, one handler for a method, JSON and empty responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ecl.server.api.common.request import ImageRequest
from ecl.server.errors import MethodNotAllowed

__all__ = ["Handler", "empty", "json_response", "methods_of", "resource"]

Handler = Callable[[ImageRequest], Awaitable[Response]]


class _Resource:
    """An ASGI application that picks the handler by method. HEAD is a method of its own: nobody has it."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ImageRequest(scope, receive, send)
        handler = self.handlers.get(request.method)
        if handler is not None:
            response = await handler(request)
        else:
            raise MethodNotAllowed(request.method, self.handlers)
        await response(scope, receive, send)


def resource(path: str, **handlers: Handler) -> Route:
    """Return the route of *path*, such as ``/v2/images/{image_id}``, with a handler for each method (``GET=...``)."""
    return Route(path, _Resource(handlers))


def methods_of(route: Route) -> list[str]:
    """Return the methods that *route*, made by `resource`, has handlers for."""
    assert isinstance(route.app, _Resource)
    return sorted(route.app.handlers)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return *value* as JSON."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def empty(status: int = 204) -> Response:
    """Return a response without a body."""
    return Response(status_code=status)
