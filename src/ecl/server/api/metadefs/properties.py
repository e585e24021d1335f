"""``/v2/metadefs/namespaces/{namespace}/properties``: definitions of single custom properties."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.metadefs.lookup import (
    add_item,
    existing_item,
    item_not_found,
    remove_item,
    replace_item,
    visible_namespace,
)
from ecl.server.clock import now
from ecl.server.db.metadefs import fetch_item, list_items
from ecl.server.domain.metadef import PREFIX_PATH, Item, item_to_wire, parse_item
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]


def _to_wire(item: Item) -> dict[str, Any]:
    return {"name": item.name, **item.body}


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    items = await threads.query(_fetch_all, request)
    return json_response({"properties": {item.name: item_to_wire(item, "") for item in items}})


def _fetch_all(request: ImageRequest) -> list[Item]:
    with visible_namespace(request) as (connection, namespace):
        return list_items(connection, [namespace], "property")[namespace.id]


async def _create(request: ImageRequest) -> Response:
    item = parse_item("property", await request.read_json(), now())
    await threads.change(add_item, request, item)
    return json_response(_to_wire(item), 201)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    resource_type = dict(request.query()).get("resource_type")
    item = await threads.query(_fetch, request, resource_type)
    return json_response(_to_wire(item))


def _fetch(request: ImageRequest, resource_type: str | None) -> Item:
    """Return the property of the path; with *resource_type*, the name in the path has that type's prefix."""
    name = request.path_params["name"]
    with visible_namespace(request) as (connection, namespace):
        if not resource_type:
            return existing_item(connection, namespace, "property", name)
        association = fetch_item(connection, namespace, "resource_type", resource_type)
        prefix = str(association.body.get("prefix") or "") if association else ""
        if association is None or not name.startswith(prefix):
            raise item_not_found(namespace, "property", name)
        return existing_item(connection, namespace, "property", name.removeprefix(prefix))


async def _replace(request: ImageRequest) -> Response:
    item = parse_item("property", await request.read_json(), now())
    await threads.change(replace_item, request, request.path_params["name"], item)
    return json_response(_to_wire(item))


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(remove_item, request, "property", request.path_params.get("name"))
    return empty()


ROUTES = (
    resource(PREFIX_PATH + "/{namespace}/properties", GET=_list, POST=_create, DELETE=_delete),
    resource(PREFIX_PATH + "/{namespace}/properties/{name}", GET=_show, PUT=_replace, DELETE=_delete),
)
