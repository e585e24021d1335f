"""Queries on metadata definitions: namespaces and their items."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, delete, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from ecl.server.clock import now
from ecl.server.db.engine import may_write
from ecl.server.db.metadef_schema import metadef_items, metadef_namespaces, metadef_resource_types
from ecl.server.db.paging import ordered
from ecl.server.domain.caller import Caller
from ecl.server.domain.metadef import Item, Kind, Namespace
from ecl.server.domain.paging import SortKey
from ecl.server.errors import Conflict

__all__ = [
    "delete_items",
    "delete_namespace",
    "fetch_item",
    "fetch_namespace",
    "insert_items",
    "insert_namespace",
    "list_items",
    "list_namespaces",
    "list_resource_types",
    "name_taken",
    "update_item",
    "update_namespace",
]

_NAMESPACE = tuple(column for column in metadef_namespaces.c if column.name != "region")
# Another namespace may add the same one at this moment.
_ADD_RESOURCE_TYPE = text(
    "INSERT INTO metadef_resource_types (region, name, created_at, updated_at) "
    "VALUES (:region, :name, :created_at, :updated_at) ON CONFLICT (region, name) DO NOTHING"
)
_ITEM = tuple(column for column in metadef_items.c if column.name != "namespace_id")


def _namespace_from_row(row: Row[Any]) -> Namespace:
    return Namespace(**row._mapping)


def _item_from_row(row: Row[Any]) -> Item:
    return Item(**{**row._mapping, "body": msgspec.json.decode(row.body)})


# --- namespaces -----------------------------------------------------------------------------------------------


def fetch_namespace(connection: Connection, region: str, name: str) -> Namespace | None:
    """Return the namespace *name*, or None. In a transaction that may write, nobody else changes it until the end."""
    table = metadef_namespaces.c
    query = select(*_NAMESPACE).where(table.region == region, table.namespace == name)
    if may_write(connection):
        query = query.with_for_update(key_share=True)
    row = connection.execute(query).first()
    return _namespace_from_row(row) if row else None


def name_taken(name: str) -> Conflict:
    """Return the error for the name of a namespace that exists."""
    return Conflict(f"There is a namespace {name} already.")


def list_namespaces(
    connection: Connection,
    region: str,
    caller: Caller,
    *,
    order: Sequence[SortKey],
    limit: int,
    marker: Namespace | None = None,
    visibility: str | None = None,
    resource_types: Collection[str] | None = None,
) -> list[Namespace]:
    """
    Return at most *limit* of the namespaces that *caller* sees.

    Args:
        marker: The namespace after which the page begins.
        visibility: Only namespaces with this visibility.
        resource_types: Only namespaces that are associated with one of these.
    """
    table = metadef_namespaces.c
    conditions: list[Any] = [table.region == region]
    if not caller.is_admin:
        conditions.append(or_(table.visibility == "public", table.owner == caller.project_id))
    if visibility is not None:
        conditions.append(table.visibility == visibility)
    if resource_types is not None:
        items = metadef_items.c
        associated = select(items.namespace_id).where(items.kind == "resource_type", items.name.in_(resource_types))
        conditions.append(table.id.in_(associated))
    columns = [ordered(table[key.name], key) for key in order]
    # Reading all keys is cheap: they are small, and only administrators create namespaces.
    keys = list(connection.execute(select(table.id).where(*conditions).order_by(*columns)).scalars())
    begin = keys.index(marker.id) + 1 if marker is not None and marker.id in keys else 0
    page = keys[begin : begin + limit]
    rows = connection.execute(select(*_NAMESPACE).where(table.id.in_(page)))
    by_id = {namespace.id: namespace for namespace in map(_namespace_from_row, rows)}
    return [by_id[key] for key in page]


def insert_namespace(connection: Connection, region: str, namespace: Namespace) -> None:
    """Add *namespace* and set its key. Raises Conflict if another transaction has just added its name."""
    values = {column.name: getattr(namespace, column.name) for column in _NAMESPACE if column.name != "id"}
    try:
        result = connection.execute(insert(metadef_namespaces).values(region=region, **values))
    except IntegrityError as exc:
        raise name_taken(namespace.namespace) from exc
    assert result.inserted_primary_key is not None
    namespace.id = result.inserted_primary_key[0]


def update_namespace(connection: Connection, namespace: Namespace) -> None:
    """Store every attribute of *namespace*. Raises Conflict as `insert_namespace` does."""
    values = {column.name: getattr(namespace, column.name) for column in _NAMESPACE if column.name != "id"}
    try:
        connection.execute(update(metadef_namespaces).where(metadef_namespaces.c.id == namespace.id).values(**values))
    except IntegrityError as exc:
        raise name_taken(namespace.namespace) from exc


def delete_namespace(connection: Connection, namespace: Namespace) -> None:
    """Remove *namespace* with all its items."""
    connection.execute(delete(metadef_namespaces).where(metadef_namespaces.c.id == namespace.id))


# --- items ----------------------------------------------------------------------------------------------------


def list_items(connection: Connection, namespaces: Collection[Namespace], *kinds: Kind) -> dict[int, list[Item]]:
    """
    Return the items of *kinds* (none given: all) of each namespace, by the namespace's key.

    Tags come newest first, other items in the order of their names.
    """
    items: dict[int, list[Item]] = {namespace.id: [] for namespace in namespaces}
    table = metadef_items.c
    order = (case((table.kind == "tag", -table.id), else_=0), table.name)
    query = select(table.namespace_id, *_ITEM).where(table.namespace_id.in_(items)).order_by(*order)
    if kinds:
        query = query.where(table.kind.in_(kinds))
    for row in connection.execute(query):
        values = dict(row._mapping)
        key = values.pop("namespace_id")
        items[key].append(Item(**{**values, "body": msgspec.json.decode(row.body)}))
    return items


def fetch_item(connection: Connection, namespace: Namespace, kind: Kind, name: str) -> Item | None:
    """Return one item, or None."""
    table = metadef_items.c
    query = select(*_ITEM).where(table.namespace_id == namespace.id, table.kind == kind, table.name == name)
    row = connection.execute(query).first()
    return _item_from_row(row) if row else None


def insert_items(connection: Connection, region: str, namespace: Namespace, items: Iterable[Item]) -> None:
    """Add *items*, and remember their resource types."""
    items = list(items)
    rows = [
        {
            "namespace_id": namespace.id,
            "kind": item.kind,
            "name": item.name,
            "body": msgspec.json.encode(item.body).decode(),
            "created_at": item.created_at,
            "updated_at": item.updated_at,
        }
        for item in items
    ]
    if not rows:
        return
    connection.execute(insert(metadef_items), rows)
    _remember_resource_types(connection, region, {item.name for item in items if item.kind == "resource_type"})


def update_item(connection: Connection, item: Item) -> None:
    """Store name and body of *item*."""
    connection.execute(
        update(metadef_items)
        .where(metadef_items.c.id == item.id)
        .values(name=item.name, body=msgspec.json.encode(item.body).decode(), updated_at=item.updated_at)
    )


def delete_items(connection: Connection, namespace: Namespace, kind: Kind, name: str | None = None) -> None:
    """Remove the item *name*, or all items of *kind*."""
    table = metadef_items.c
    statement = delete(metadef_items).where(table.namespace_id == namespace.id, table.kind == kind)
    if name is not None:
        statement = statement.where(table.name == name)
    connection.execute(statement)


# --- resource types -------------------------------------------------------------------------------------------


def _remember_resource_types(connection: Connection, region: str, names: set[str]) -> None:
    table = metadef_resource_types.c
    known = set(connection.execute(select(table.name).where(table.region == region, table.name.in_(names))).scalars())
    moment = now()
    rows = [
        {"region": region, "name": name, "created_at": moment, "updated_at": moment} for name in sorted(names - known)
    ]
    if rows:
        connection.execute(_ADD_RESOURCE_TYPE, rows)


def list_resource_types(connection: Connection, region: str) -> list[tuple[str, int, int]]:
    """Return name, creation and last change of every resource type."""
    table = metadef_resource_types.c
    query = select(table.name, table.created_at, table.updated_at).where(table.region == region)
    return [(row.name, row.created_at, row.updated_at) for row in connection.execute(query.order_by(table.name))]
