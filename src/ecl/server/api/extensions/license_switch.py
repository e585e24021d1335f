"""``/v2/extension/license_switch``: the licence switch types of the region."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.http.routing import json_response

__all__ = ["ROUTES"]


async def _types(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response({"license_switch_types": request.service.region.settings.license_switch_types})


ROUTES = (resource("/v2/extension/license_switch/types", GET=_types),)
