"""``/v2/cache``: this service has no cache of images, and answers as a Glance without one does."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.errors import Forbidden, NotFound

__all__ = ["ROUTES"]


async def _none(request: ImageRequest) -> Response:
    if not request.caller.is_admin:
        raise Forbidden("The cache of images needs the role admin.")
    raise NotFound("This service has no cache of images.")


ROUTES = (
    resource("/v2/cache", GET=_none, DELETE=_none),
    resource("/v2/cache/clean", POST=_none),
    resource("/v2/cache/prune", POST=_none),
    resource("/v2/cache/nodes/{image_id}", GET=_none),
    resource("/v2/cache/{image_id}", PUT=_none, DELETE=_none),
)
