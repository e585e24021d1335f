"""``/v2/schemas``: the documents that describe what the API takes and gives."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.request import ImageRequest
from ecl.server.api.routing import json_response, resource
from ecl.server.domain.schemas import SCHEMA_NAMES, schema
from ecl.server.errors import NotFound

__all__ = ["ROUTES"]


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    name = request.path_params["name"]
    if name not in SCHEMA_NAMES:
        raise NotFound(f"There is no schema '{name[:80]}'.")
    return json_response(schema(name))


ROUTES = (resource("/v2/schemas/{name:path}", GET=_show),)
