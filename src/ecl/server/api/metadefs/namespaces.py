"""``/v2/metadefs/namespaces``: list, create, show, replace and delete namespaces."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.paging import page_response
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.metadefs.lookup import namespace_to_change, visible_namespace
from ecl.server.clock import now
from ecl.server.db import metadefs as db
from ecl.server.db.engine import retried
from ecl.server.domain.metadef import (
    LIST_KEYS,
    PREFIX_PATH,
    Item,
    Namespace,
    check_can_write,
    check_reads,
    items_of_body,
    namespace_not_found,
    namespace_of_body,
    namespace_to_wire,
    prefixed,
    sees,
)
from ecl.server.domain.paging import SortKey, parse_limit, parse_order
from ecl.server.errors import BadRequest, Forbidden
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]

_SORT_KEYS = (
    ["namespace", "display_name", "description", "visibility", "protected", "owner", "created_at", "updated_at", "id"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Query:
    limit: int
    order: list[SortKey]
    marker: str | None
    visibility: str | None
    resource_types: tuple[str, ...] | None


def _parse_query(request: ImageRequest) -> _Query:
    # If a parameter is repeated, the last one counts.
    parameters = dict(request.query())
    visibility = parameters.get("visibility")
    if visibility not in (None, "public", "private", ""):
        raise BadRequest("The parameter 'visibility' must be public or private.")
    types = parameters.get("resource_types")
    return _Query(
        parse_limit(parameters.get("limit"), request.service.settings.limits),
        parse_order(parameters, _SORT_KEYS),
        parameters.get("marker"),
        visibility,
        tuple(types.split(",")) if types is not None else None,
    )


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    query = _parse_query(request)
    check_reads(request.caller)
    page = await threads.query(_page, request, query)
    is_full = len(page) == query.limit > 0
    marker = page[-1][0].namespace if is_full else None
    items = [namespace_to_wire(namespace, items) for namespace, items in page]
    return page_response("metadefs/namespaces", items, request.query(), marker)


def _page(request: ImageRequest, query: _Query) -> list[tuple[Namespace, list[Item]]]:
    region, caller = request.service.region.name, request.caller
    with request.service.database.read() as connection:
        marker = None
        if query.marker is not None:
            marker = db.fetch_namespace(connection, region, query.marker)
            if marker is None:
                raise namespace_not_found(query.marker)
            if not sees(caller, marker):
                raise Forbidden("The marker is a namespace that you may not see.")
        found = db.list_namespaces(
            connection,
            region,
            caller,
            order=query.order,
            limit=query.limit,
            marker=marker,
            visibility=query.visibility,
            resource_types=query.resource_types,
        )
        items = db.list_items(connection, found, "resource_type")
        return [(namespace, items[namespace.id]) for namespace in found]


async def _create(request: ImageRequest) -> Response:
    moment = now()
    namespace, body = namespace_of_body(await request.read_json(), request.caller, moment)
    check_can_write(request.caller)
    items = items_of_body(body, moment)
    await threads.change(_insert, request, namespace, items)
    # The items are shown as they were sent.
    wire = namespace_to_wire(namespace) | {key: body[key] for key in LIST_KEYS.values() if key in body}
    return json_response(wire, 201, {"Location": request.endpoint + wire["self"]})


@retried
def _insert(request: ImageRequest, namespace: Namespace, items: list[Item]) -> None:
    """Store the namespace with all its items, or nothing."""
    region = request.service.region.name
    with request.service.database.write() as connection:
        if db.fetch_namespace(connection, region, namespace.namespace) is not None:
            raise db.name_taken(namespace.namespace)
        db.insert_namespace(connection, region, namespace)
        db.insert_items(connection, region, namespace, items)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    namespace, items = await threads.query(_fetch, request)
    resource_type = dict(request.query()).get("resource_type")
    return json_response(namespace_to_wire(namespace, prefixed(items, resource_type) if resource_type else items))


def _fetch(request: ImageRequest) -> tuple[Namespace, list[Item]]:
    with visible_namespace(request) as (connection, namespace):
        return namespace, db.list_items(connection, [namespace])[namespace.id]


async def _replace(request: ImageRequest) -> Response:
    namespace, _body = namespace_of_body(await request.read_json(), request.caller, now())
    await threads.change(_update, request, namespace)
    return json_response(namespace_to_wire(namespace))


@retried
def _update(request: ImageRequest, namespace: Namespace) -> None:
    region = request.service.region.name
    with namespace_to_change(request) as (connection, before):
        renamed = namespace.namespace != before.namespace
        if renamed and db.fetch_namespace(connection, region, namespace.namespace) is not None:
            raise db.name_taken(namespace.namespace)
        namespace.id, namespace.created_at = before.id, before.created_at
        db.update_namespace(connection, namespace)


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_remove, request)
    return empty()


@retried
def _remove(request: ImageRequest) -> None:
    with namespace_to_change(request, deletes=True) as (connection, namespace):
        db.delete_namespace(connection, namespace)


ROUTES = (
    resource(PREFIX_PATH, GET=_list, POST=_create),
    resource(PREFIX_PATH + "/{namespace}", GET=_show, PUT=_replace, DELETE=_delete),
)
