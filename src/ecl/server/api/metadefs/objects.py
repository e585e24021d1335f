"""``/v2/metadefs/namespaces/{namespace}/objects``: groups of properties."""

from __future__ import annotations

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.metadefs.lookup import add_item, existing_item, remove_item, replace_item, visible_namespace
from ecl.server.clock import now
from ecl.server.db.metadefs import list_items
from ecl.server.domain.filters import parse_integer
from ecl.server.domain.metadef import PREFIX_PATH, Item, Namespace, item_to_wire, parse_item
from ecl.server.errors import BadRequest
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    limit = dict(request.query()).get("limit")
    # The limit is checked but has no effect: there are no pages.
    if limit is not None and parse_integer("limit", limit) <= 0:
        raise BadRequest("The parameter 'limit' must be positive.")
    namespace, items = await threads.query(_fetch_all, request)
    objects = [item_to_wire(item, namespace.namespace) for item in items]
    return json_response({"objects": objects, "schema": "/v2/schemas/metadefs/objects"})


def _fetch_all(request: ImageRequest) -> tuple[Namespace, list[Item]]:
    with visible_namespace(request) as (connection, namespace):
        return namespace, list_items(connection, [namespace], "object")[namespace.id]


async def _create(request: ImageRequest) -> Response:
    item = parse_item("object", await request.read_json(), now())
    namespace = await threads.change(add_item, request, item)
    return json_response(item_to_wire(item, namespace.namespace), 201)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    namespace, item = await threads.query(_fetch, request)
    return json_response(item_to_wire(item, namespace.namespace))


def _fetch(request: ImageRequest) -> tuple[Namespace, Item]:
    with visible_namespace(request) as (connection, namespace):
        return namespace, existing_item(connection, namespace, "object", request.path_params["name"])


async def _replace(request: ImageRequest) -> Response:
    item = parse_item("object", await request.read_json(), now())
    namespace = await threads.change(replace_item, request, request.path_params["name"], item)
    return json_response(item_to_wire(item, namespace.namespace))


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(remove_item, request, "object", request.path_params.get("name"))
    return empty()


ROUTES = (
    resource(PREFIX_PATH + "/{namespace}/objects", GET=_list, POST=_create, DELETE=_delete),
    resource(PREFIX_PATH + "/{namespace}/objects/{name}", GET=_show, PUT=_replace, DELETE=_delete),
)
