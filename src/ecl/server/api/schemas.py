"""``/v2/schemas``: the JSON schemas of requests and responses."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.domain.schemas import SCHEMA_NAMES, schema
from ecl.server.http.routing import json_response

__all__ = ["ROUTES"]


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response(schema(request.scope["path"].removeprefix("/v2/schemas/")))


ROUTES = tuple(resource(f"/v2/schemas/{name}", GET=_show) for name in sorted(SCHEMA_NAMES))
