"""The routes of the image API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.routing import Route

from ecl.server.api.common.request import ImageRequest
from ecl.server.http.routing import Resource

__all__ = ["resource"]


def resource(path: str, **handlers: Callable[[ImageRequest], Awaitable[Response]]) -> Route:
    """Return the route of *path*, such as ``/v2/images/{image_id}``, with a handler for each method (``GET=...``)."""
    return Route(path, Resource(ImageRequest, handlers))
