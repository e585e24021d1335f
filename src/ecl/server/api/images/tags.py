"""``/v2/images/{id}/tags/{tag}``: add and remove one tag."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import changeable_image
from ecl.server.db.engine import retried
from ecl.server.db.images import add_tag, remove_tag
from ecl.server.domain.image import check_quotas
from ecl.server.errors import BadRequest, NotFound
from ecl.server.http.routing import empty

__all__ = ["ROUTES"]

_MAX_TAG = 255


async def _put(request: ImageRequest) -> Response:
    await request.refuse_body()
    tag = request.path_params["tag"]
    if len(tag) > _MAX_TAG:
        raise BadRequest(f"A tag may have at most {_MAX_TAG} characters.")
    await threads.change(_add, request, request.image_id, tag)
    return empty()


@retried
def _add(request: ImageRequest, image_id: str, tag: str) -> None:
    service = request.service
    region = service.region.name
    with service.database.write() as connection:
        image = changeable_image(connection, region, request.caller, image_id)
        is_new = tag not in image.tags
        if is_new:
            before = image.copy()
            image.tags.append(tag)
            check_quotas(image, service.settings.limits, before)
        add_tag(connection, region, image_id, tag, is_new=is_new)


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_remove, request, request.image_id, request.path_params["tag"])
    return empty()


@retried
def _remove(request: ImageRequest, image_id: str, tag: str) -> None:
    region = request.service.region.name
    with request.service.database.write() as connection:
        image = changeable_image(connection, region, request.caller, image_id)
        if tag not in image.tags:
            raise NotFound(f"Image {image_id} has no tag '{tag[:_MAX_TAG]}'.")
        remove_tag(connection, region, image_id, tag)


ROUTES = (resource("/v2/images/{image_id}/tags/{tag}", PUT=_put, DELETE=_delete),)
