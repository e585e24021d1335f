"""``/v2/metadefs/namespaces/{namespace}/tags``: tags that resources may have."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.metadefs.lookup import (
    add_item,
    existing_item,
    item_not_found,
    namespace_to_change,
    remove_item,
    replace_item,
    visible_namespace,
)
from ecl.server.clock import iso_seconds, now
from ecl.server.db.engine import retried
from ecl.server.db.metadefs import delete_items, insert_items, list_items
from ecl.server.domain.metadef import PREFIX_PATH, Item, parse_item
from ecl.server.domain.paging import SortKey, parse_limit, parse_order
from ecl.server.errors import BadRequest, Conflict, Forbidden
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]

_SORT_KEYS = ("name", "created_at", "updated_at", "id")
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


def _to_wire(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "created_at": iso_seconds(item.created_at),
        "updated_at": iso_seconds(item.updated_at),
    }


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    parameters = dict(request.query())
    limit = parse_limit(parameters.get("limit"), request.service.settings.limits)
    order = parse_order(parameters, _SORT_KEYS)
    tags = await threads.query(_fetch_all, request, parameters.get("marker"), order)
    return json_response({"tags": [{"name": tag.name} for tag in tags[:limit]]})


def _fetch_all(request: ImageRequest, marker: str | None, order: list[SortKey]) -> list[Item]:
    """Return the tags of the namespace that come after *marker* in *order*."""
    with visible_namespace(request) as (connection, namespace):
        tags = list_items(connection, [namespace], "tag")[namespace.id]
        for key in reversed(order):
            tags.sort(key=attrgetter(key.name), reverse=key.descending)
        if marker is None:
            return tags
        names = [tag.name for tag in tags]
        if marker not in names:
            raise item_not_found(namespace, "tag", marker)
        return tags[names.index(marker) + 1 :]


async def _create_all(request: ImageRequest) -> Response:
    tags = _tags_of(await request.read_json())
    append = request.headers.get("x-openstack-append", "").strip().lower() in _TRUE
    await threads.change(_put_all, request, tags, append)
    return json_response({"tags": [{"name": tag.name} for tag in tags]}, 201)


def _tags_of(body: Any) -> list[Item]:
    listed = body.get("tags") if isinstance(body, dict) else None
    if not isinstance(listed, list) or set(body) != {"tags"}:
        raise BadRequest("The body must be a JSON object with 'tags', a list of objects with a name.")
    moment = now()
    return [parse_item("tag", entry, moment) for entry in listed]


@retried
def _put_all(request: ImageRequest, tags: list[Item], append: bool) -> None:
    with namespace_to_change(request) as (connection, namespace):
        # An empty list replaces nothing, as in Glance.
        if tags and not append:
            if namespace.protected:
                raise Forbidden(f"Namespace {namespace.namespace} is protected: its tags cannot be replaced.")
            delete_items(connection, namespace, "tag")
        known = {tag.name for tag in list_items(connection, [namespace], "tag")[namespace.id]}
        for tag in tags:
            if tag.name in known:
                raise Conflict(f"Namespace {namespace.namespace} has a tag {tag.name} already.")
            known.add(tag.name)
        insert_items(connection, request.service.region.name, namespace, tags)


async def _create(request: ImageRequest) -> Response:
    await request.refuse_body()
    item = parse_item("tag", {"name": request.path_params["name"]}, now())
    await threads.change(add_item, request, item)
    return json_response(_to_wire(item), 201)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response(_to_wire(await threads.query(_fetch, request)))


def _fetch(request: ImageRequest) -> Item:
    with visible_namespace(request) as (connection, namespace):
        return existing_item(connection, namespace, "tag", request.path_params["name"])


async def _replace(request: ImageRequest) -> Response:
    item = parse_item("tag", await request.read_json(), now())
    await threads.change(replace_item, request, request.path_params["name"], item)
    return json_response(_to_wire(item))


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(remove_item, request, "tag", request.path_params.get("name"))
    return empty()


ROUTES = (
    resource(PREFIX_PATH + "/{namespace}/tags", GET=_list, POST=_create_all, DELETE=_delete),
    resource(PREFIX_PATH + "/{namespace}/tags/{name}", GET=_show, POST=_create, PUT=_replace, DELETE=_delete),
)
