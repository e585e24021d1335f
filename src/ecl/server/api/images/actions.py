"""``/v2/images/{id}/actions``: deactivate and reactivate."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import changeable_image
from ecl.server.db.engine import retried
from ecl.server.db.images import change_status
from ecl.server.domain.status import ACTIVE, DEACTIVATED
from ecl.server.errors import Forbidden
from ecl.server.http.routing import empty

__all__ = ["ROUTES"]


async def _deactivate(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_move, request, request.image_id, ACTIVE, DEACTIVATED)
    return empty()


async def _reactivate(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_move, request, request.image_id, DEACTIVATED, ACTIVE)
    return empty()


@retried
def _move(request: ImageRequest, image_id: str, before: str, after: str) -> None:
    region = request.service.region.name
    with request.service.database.write() as connection:
        image = changeable_image(connection, region, request.caller, image_id)
        if image.status == after:
            return
        if not change_status(connection, region, image_id, before=before, after=after):
            raise Forbidden(f"Image {image_id} is {image.status}; only an image that is {before} can be {after}.")


ROUTES = (
    resource("/v2/images/{image_id}/actions/deactivate", POST=_deactivate),
    resource("/v2/images/{image_id}/actions/reactivate", POST=_reactivate),
)
