"""``/v2/images/{id}/import``: start an import into an image."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import changeable_image
from ecl.server.api.imports.new_task import add_task
from ecl.server.data.region import Region
from ecl.server.data.web.addresses import parse_target
from ecl.server.db.engine import retried
from ecl.server.db.usage import check_quota
from ecl.server.domain.image import Image
from ecl.server.domain.import_request import (
    ImportRequest,
    check_importable,
    known_fields,
    parse_import,
    remote_image_of,
    uri_of,
)
from ecl.server.domain.task import API_IMAGE_IMPORT
from ecl.server.errors import BadRequest, Conflict, Forbidden
from ecl.server.http.routing import empty

__all__ = ["ROUTES"]


async def _import(request: ImageRequest) -> Response:
    body = await request.read_json()
    wanted = parse_import(body, request.service.settings.imports)
    await threads.change(_start, request, request.image_id, wanted, body)
    request.service.importer.notify()
    return empty(202)


@retried
def _start(request: ImageRequest, image_id: str, wanted: ImportRequest, body: dict[str, Any]) -> None:
    """Check everything that can be known now, and store the task."""
    service, caller = request.service, request.caller
    region = service.region
    with service.database.write() as connection:
        image = changeable_image(connection, region.name, caller, image_id)
        check_importable(image, wanted.method)
        if wanted.method == "web-download":
            parse_target(uri_of(wanted), service.settings.imports)
        if wanted.method == "glance-download":
            # An unknown region fails the task, not the request, as in Glance.
            remote_image_of(wanted)
        targets = _target_stores(wanted, region, request.headers.get("x-image-meta-store"))
        if wanted.method == "copy-image" and not caller.is_admin:
            raise Forbidden("Copying an image to other stores needs the role admin.")
        if wanted.method == "copy-image":
            targets = _without_data(image, targets, wanted)
            if not targets:
                return
        more = (image.size or 0) * len(targets)
        check_quota(connection, region.name, image.owner, service.settings.limits, "image_size_total", more)
        task_input = {"image_id": image_id, "import_req": known_fields(body), "backend": targets}
        add_task(request, connection, image, API_IMAGE_IMPORT, task_input)


def _target_stores(request: ImportRequest, region: Region, header: str | None) -> list[str]:
    """
    Return the names of the stores to import to.

    Args:
        header: The value of X-Image-Meta-Store.

    Raises:
        BadRequest: The request names them in two ways.
        Conflict: There is no such store, or it is read-only.
    """
    writable = [store.name for store in region.stores if not store.read_only]
    if request.all_stores:
        if request.stores is not None:
            raise BadRequest("Give either 'stores' or 'all_stores'.")
        return writable
    if request.stores is not None and header is not None:
        raise BadRequest("Give either 'stores' or the header X-Image-Meta-Store.")
    chosen: tuple[str, ...] = request.stores or ((header,) if header is not None else (region.store.name,))
    for name in chosen:
        if name not in writable:
            raise Conflict(f"Region {region.name} has no store '{name[:64]}' that takes data.")
    return list(chosen)


def _without_data(image: Image, targets: list[str], wanted: ImportRequest) -> list[str]:
    """Return the *targets* that do not have the image yet. Raises BadRequest if the request names one that has."""
    holders = [name for name in targets if name in image.stores]
    if holders and not wanted.all_stores:
        raise BadRequest(f"The store {holders[0]} has image {image.id} already.")
    return [name for name in targets if name not in holders]


ROUTES = (resource("/v2/images/{image_id}/import", POST=_import),)
