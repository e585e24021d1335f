"""``/v2/images``: list, create, show, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.paging import page_response
from ecl.server.api.common.patch_types import patch_version
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.locations_patch import change_locations, locations_to_wire, sizes_elsewhere
from ecl.server.api.images.lookup import caller_sees, changeable_image, visible_image
from ecl.server.data.removal import remove_now
from ecl.server.db.engine import retried
from ecl.server.db.images import fetch_image, id_is_taken, id_taken, insert_image, mark_deleted, update_image
from ecl.server.db.listing import list_images
from ecl.server.db.usage import check_quota
from ecl.server.domain.access import check_can_list
from ecl.server.domain.creation import new_image
from ecl.server.domain.image import Image, check_properties, check_quotas, image_to_wire
from ecl.server.domain.json_patch import Operation, parse_patch
from ecl.server.domain.listing import ListQuery, parse_list_query
from ecl.server.domain.schemas import validate
from ecl.server.domain.update import apply_patch
from ecl.server.errors import BadRequest, Forbidden
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES", "add_image"]


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    check_can_list(request.caller)
    parameters = request.query()
    query = parse_list_query(parameters, request.service.settings.limits)
    page = await threads.query(_page, request, query)
    is_full = len(page) == query.limit > 0
    marker = page[-1].id if is_full else None
    return page_response("images", [_to_wire(request, image) for image in page], parameters, marker)


def _to_wire(request: ImageRequest, image: Image) -> dict[str, Any]:
    """Return *image* in JSON form, without the properties that the caller may not read."""
    wire = image_to_wire(image)
    region, settings = request.service.region, request.service.settings
    if image.stores:
        wire["stores"] = ",".join(region.by_weight(image.stores))
    if settings.show_multiple_locations or settings.show_image_direct_url:
        locations = locations_to_wire(region, image)
        if settings.show_multiple_locations:
            wire["locations"] = locations
        if settings.show_image_direct_url and locations:
            wire["direct_url"] = locations[0]["url"]
    readable = request.service.protection.readable(request.caller, image.properties)
    for name in image.properties.keys() - readable.keys():
        del wire[name]
    return wire


def _page(request: ImageRequest, query: ListQuery) -> list[Image]:
    region, protection = request.service.region.name, request.service.protection
    if not all(protection.allows(request.caller, "read", name) for name in query.properties):
        # A filter would reveal the value of a property that the caller may not read.
        query.impossible = True
    with request.service.database.read() as connection:
        marker = _marker(connection, region, request, query.marker)
        return list_images(connection, region, request.caller, query, marker)


def _marker(connection: Connection, region: str, request: ImageRequest, marker: str | None) -> Image | None:
    if marker is None:
        return None
    image = fetch_image(connection, region, marker)
    if image is None:
        raise BadRequest(f"The marker '{marker[:40]}' is not the ID of an image.")
    if not caller_sees(connection, region, request.caller, image):
        raise Forbidden("The marker is an image that you may not see.")
    return image


async def _create(request: ImageRequest) -> Response:
    body = await request.read_json()
    service = request.service
    image = new_image(body, request.caller, service.region.settings, service.settings.limits)
    await threads.change(_insert, request, image)
    wire = _to_wire(request, image)
    headers = {
        "Location": request.endpoint + wire["self"],
        "OpenStack-image-import-methods": ",".join(service.settings.imports.methods),
        "OpenStack-image-store-ids": ",".join(store.name for store in service.region.stores),
        **_hash_header(request),
    }
    return json_response(wire, 201, {name: value for name, value in headers.items() if value})


@retried
def _insert(request: ImageRequest, image: Image) -> None:
    with request.service.database.write() as connection:
        add_image(request, connection, image)


def add_image(request: ImageRequest, connection: Connection, image: Image) -> None:
    """
    Add a new *image* for the caller.

    Raises:
        Forbidden: The caller may not set one of its properties.
        Conflict: Its ID is in use.
        TooLarge: The project's quota of images is used up.
    """
    region, limits = request.service.region.name, request.service.settings.limits
    request.service.protection.check_create(request.caller, image.properties)
    if id_is_taken(connection, region, image.id):
        raise id_taken(image.id)
    check_quota(connection, region, image.owner, limits, "image_count_total", 1)
    insert_image(connection, region, image)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    image_id, region = request.image_id, request.service.region.name
    image = await request.service.database.look_up(
        lambda connection: visible_image(connection, region, request.caller, image_id)
    )
    return json_response(_to_wire(request, image), headers=_hash_header(request))


def _hash_header(request: ImageRequest) -> dict[str, str]:
    """Return the header with the hash algorithm of future uploads, so that a client can hash while it sends."""
    return {"OpenStack-image-hash-algo": request.service.settings.hash_algorithm}


async def _update(request: ImageRequest) -> Response:
    version = patch_version(request.headers.get("content-type"))
    settings = request.service.settings
    operations = parse_patch(await request.read_json(), version, with_locations=settings.show_multiple_locations)
    for operation in operations:
        if operation.verb != "remove":
            is_one = operation.name == "locations" and operation.verb == "add"
            validate("image", {operation.name: [operation.value] if is_one else operation.value})
    of_locations = [operation for operation in operations if operation.name == "locations"]
    sizes = await sizes_elsewhere(request, of_locations) if of_locations else {}
    image = await threads.change(_patch, request, request.image_id, operations, sizes)
    return json_response(_to_wire(request, image))


@retried
def _patch(request: ImageRequest, image_id: str, operations: list[Operation], sizes: Mapping[str, int]) -> Image:
    of_locations = [operation for operation in operations if operation.name == "locations"]
    of_attributes = [operation for operation in operations if operation.name != "locations"]
    service, caller = request.service, request.caller
    region = service.region
    if not operations:
        with service.database.read() as connection:
            return visible_image(connection, region.name, caller, image_id)
    with service.database.write() as connection:
        before = changeable_image(connection, region.name, caller, image_id)
        after = before.copy()
        apply_patch(after, of_attributes, caller, service.protection)
        changed = dict(after.properties.items() - before.properties.items())
        check_properties(changed, region.settings)
        check_quotas(after, service.settings.limits, before)
        update_image(connection, region.name, before, after)
        garbage = change_locations(request, connection, image_id, of_locations, sizes)
        stored = fetch_image(connection, region.name, image_id)
        assert stored is not None
    if garbage:
        remove_now(region, service.database, garbage)
    return stored


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_remove, request, request.image_id)
    return empty()


@retried
def _remove(request: ImageRequest, image_id: str) -> None:
    service = request.service
    region = service.region
    with service.database.write() as connection:
        image = changeable_image(connection, region.name, request.caller, image_id)
        if image.protected:
            raise Forbidden(f"Image {image_id} is protected and cannot be deleted.")
        garbage = mark_deleted(connection, region.name, image_id)
    if region.cache is not None:
        region.cache.delete(image_id)
    remove_now(region, service.database, garbage)


ROUTES = (
    resource("/v2/images", GET=_list, POST=_create),
    resource("/v2/images/{image_id}", GET=_show, PATCH=_update, DELETE=_delete),
)
