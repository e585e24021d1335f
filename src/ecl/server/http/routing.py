"""Paths to handlers: one resource for a path, one handler for a method; JSON and empty responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ecl.server.http.errors import MethodNotAllowed

__all__ = ["Resource", "empty", "json_response", "methods_of"]

R = TypeVar("R", bound=Request)


class Resource(Generic[R]):
    """
    An ASGI application that picks the handler by method. HEAD is not answered by GET: it has its own handler or none.

    Args:
        request_type: What handlers are called with.
    """

    def __init__(
        self,
        request_type: Callable[[Scope, Receive, Send], R],
        handlers: Mapping[str, Callable[[R], Awaitable[Response]]],
    ) -> None:
        self._request_type = request_type
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._request_type(scope, receive, send)
        handler = self.handlers.get(scope["method"])
        if handler is None:
            raise MethodNotAllowed(scope["method"], self.handlers)
        response = await handler(request)
        await response(scope, receive, send)


def methods_of(route: Route) -> list[str]:
    """Return the methods that the `Resource` of *route* has handlers for."""
    assert isinstance(route.app, Resource)
    return sorted(route.app.handlers)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return *value* as JSON."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def empty(status: int = 204) -> Response:
    """Return a response without a body."""
    return Response(status_code=status)
