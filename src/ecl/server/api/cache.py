"""``/v2/cache``: this service has no image cache, and answers as a Glance without one."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.errors import Forbidden, NotFound

__all__ = ["ROUTES"]


async def _refuse(request: ImageRequest) -> Response:
    if not request.caller.is_admin:
        raise Forbidden("The image cache needs the role admin.")
    raise NotFound("This service has no image cache.")


ROUTES = (
    resource("/v2/cache", GET=_refuse, DELETE=_refuse),
    resource("/v2/cache/clean", POST=_refuse),
    resource("/v2/cache/prune", POST=_refuse),
    resource("/v2/cache/nodes/{image_id}", GET=_refuse),
    resource("/v2/cache/{image_id}", PUT=_refuse, DELETE=_refuse),
)
