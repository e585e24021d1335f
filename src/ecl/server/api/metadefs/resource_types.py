"""``/v2/metadefs/resource_types``, and the associations of a namespace with them."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.metadefs.lookup import add_item, remove_item, visible_namespace
from ecl.server.clock import iso_seconds, now
from ecl.server.db.metadefs import list_items, list_resource_types
from ecl.server.domain.metadef import PREFIX_PATH, Item, check_reads, item_to_wire, parse_item
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]


async def _list_all(request: ImageRequest) -> Response:
    await request.refuse_body()
    check_reads(request.caller)
    types = await threads.query(_fetch_all, request)
    listed = [
        {"name": name, "created_at": iso_seconds(created), "updated_at": iso_seconds(updated)}
        for name, created, updated in types
    ]
    return json_response({"resource_types": listed})


def _fetch_all(request: ImageRequest) -> list[tuple[str, int, int]]:
    with request.service.database.read() as connection:
        return list_resource_types(connection, request.service.region.name)


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    items = await threads.query(_fetch, request)
    return json_response({"resource_type_associations": [item_to_wire(item, "") for item in items]})


def _fetch(request: ImageRequest) -> list[Item]:
    with visible_namespace(request) as (connection, namespace):
        return list_items(connection, [namespace], "resource_type")[namespace.id]


async def _create(request: ImageRequest) -> Response:
    item = parse_item("resource_type", await request.read_json(), now())
    await threads.change(add_item, request, item)
    return json_response(item_to_wire(item, ""), 201)


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(remove_item, request, "resource_type", request.path_params["name"])
    return empty()


ROUTES = (
    resource("/v2/metadefs/resource_types", GET=_list_all),
    resource(PREFIX_PATH + "/{namespace}/resource_types", GET=_list, POST=_create),
    resource(PREFIX_PATH + "/{namespace}/resource_types/{name}", DELETE=_delete),
)
