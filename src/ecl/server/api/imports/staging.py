"""``/v2/images/{id}/stage``: upload data that a later import checks and stores."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.file import receive_body
from ecl.server.errors import NotFound
from ecl.server.http.routing import empty

__all__ = ["ROUTES"]


async def _stage(request: ImageRequest) -> Response:
    if "glance-direct" not in request.service.settings.imports.methods:
        raise NotFound("This service has no import by glance-direct, so it stages nothing.")
    await receive_body(request, request.service.region.staging)
    return empty()


ROUTES = (resource("/v2/images/{image_id}/stage", PUT=_stage),)
