"""``/v2/stores`` and ``/v2/info``: the stores and import methods of the region, and the usage of a project."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.data.region import Region
from ecl.server.data.removal import remove_now
from ecl.server.data.store.base import Store
from ecl.server.db.copies import damaged_stores
from ecl.server.db.engine import retried
from ecl.server.db.locations import discard_locations
from ecl.server.db.usage import usage_of
from ecl.server.domain.access import check_can_see_locations
from ecl.server.domain.import_request import check_not_importing
from ecl.server.domain.quota import usage_to_wire
from ecl.server.errors import Conflict, Forbidden, NotFound
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]


async def _methods(request: ImageRequest) -> Response:
    await request.refuse_body()
    methods = {
        "description": "Import methods available.",
        "type": "array",
        "value": request.service.settings.imports.methods,
    }
    return json_response({"import-methods": methods})


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    region = request.service.region
    return json_response({"stores": [_to_wire(store, region) for store in region.stores]})


async def _details(request: ImageRequest) -> Response:
    await request.refuse_body()
    check_can_see_locations(request.caller)
    region = request.service.region
    return json_response({"stores": [{**_to_wire(store, region), **_detail(store)} for store in region.stores]})


def _to_wire(store: Store, region: Region) -> dict[str, Any]:
    wire = {"id": store.name}
    if store.description is not None:
        wire["description"] = store.description
    # Flags are the text "true", and absent otherwise.
    if store is region.store:
        wire["default"] = "true"
    if store.read_only:
        wire["read-only"] = "true"
    return wire


def _detail(store: Store) -> dict[str, Any]:
    return {"type": store.kind, "weight": store.weight, "properties": dict(store.properties)}


async def _usage(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response({"usage": await threads.query(_usage_of, request)})


def _usage_of(request: ImageRequest) -> dict[str, Any]:
    service = request.service
    with service.database.read() as connection:
        usage = usage_of(connection, service.region.name, request.caller.project_id)
    return usage_to_wire(service.settings.limits, usage)


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_remove, request, request.path_params["store"])
    return empty()


@retried
def _remove(request: ImageRequest, name: str) -> None:
    region = request.service.region
    store = region.store_named(name)
    if store is None:
        raise Conflict(f"Region {region.name} has no store '{name[:64]}'.")
    image_id = request.image_id
    with request.service.database.write() as connection:
        image = visible_image(connection, region.name, request.caller, image_id)
        if not request.caller.is_admin:
            raise Forbidden("Deleting the data of an image from a store needs the role admin.")
        if image.status != "active":
            raise Conflict(f"Image {image_id} is {image.status}; only an active image has data to delete.")
        check_not_importing(image)
        sound = image.stores.keys() - damaged_stores(connection, region.name, image_id)
        if len(image.stores) < 2:
            raise Forbidden(f"Image {image_id} is in one store only; delete the image instead.")
        if name not in image.stores:
            raise NotFound(f"Image {image_id} is not in the store {name}.")
        if store.read_only:
            raise Forbidden(f"The store {name} is read-only.")
        if sound == {name}:
            raise Forbidden(f"The other copies of image {image_id} are damaged; {name} has the only good one.")
        garbage = discard_locations(connection, region.name, image_id, [name])
    remove_now(region, request.service.database, garbage)


ROUTES = (
    resource("/v2/info/import", GET=_methods),
    resource("/v2/info/stores", GET=_list),
    resource("/v2/info/stores/detail", GET=_details),
    resource("/v2/info/usage", GET=_usage),
    resource("/v2/stores/{store}/{image_id}", DELETE=_delete),
)
