"""Find the namespace and the items of a request, and check what the caller may do with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from ecl.server.api.common.request import ImageRequest
from ecl.server.db.engine import retried
from ecl.server.db.metadefs import delete_items, fetch_item, fetch_namespace, insert_items, update_item
from ecl.server.domain.metadef import (
    Item,
    Kind,
    Namespace,
    check_can_write,
    check_reads,
    check_unprotected,
    namespace_not_found,
    sees,
)
from ecl.server.errors import Conflict, NotFound

__all__ = [
    "add_item",
    "existing_item",
    "item_not_found",
    "namespace_to_change",
    "remove_item",
    "replace_item",
    "visible_namespace",
]


def _find_namespace(connection: Connection, request: ImageRequest) -> Namespace:
    name = request.path_params["namespace"]
    namespace = fetch_namespace(connection, request.service.region.name, name)
    if namespace is None or not sees(request.caller, namespace):
        raise namespace_not_found(name)
    return namespace


@contextmanager
def visible_namespace(request: ImageRequest) -> Iterator[tuple[Connection, Namespace]]:
    """
    Yield the namespace of the request's path and a connection in a reading transaction.

    Raises:
        NotFound: It does not exist, or the caller does not see it.
        Forbidden: The caller may not read definitions.
    """
    with request.service.database.read() as connection:
        namespace = _find_namespace(connection, request)
        check_reads(request.caller)
        yield connection, namespace


@contextmanager
def namespace_to_change(request: ImageRequest, *, deletes: bool = False) -> Iterator[tuple[Connection, Namespace]]:
    """
    Yield the namespace of the request's path and a connection in a writing transaction.

    Args:
        deletes: True if something in it, or all of it, will be deleted.

    Raises:
        NotFound: It does not exist, or the caller does not see it.
        Forbidden: The caller may not change it, or *deletes* is true and it is protected.
    """
    with request.service.database.write() as connection:
        namespace = _find_namespace(connection, request)
        check_can_write(request.caller)
        if deletes:
            check_unprotected(namespace)
        yield connection, namespace


def item_not_found(namespace: Namespace, kind: Kind, name: str) -> NotFound:
    """Return the error for an item that is not in *namespace*."""
    return NotFound(f"Namespace {namespace.namespace} has no {kind.replace('_', ' ')} {name[:80]}.")


def existing_item(connection: Connection, namespace: Namespace, kind: Kind, name: str) -> Item:
    """Return the item. Raises NotFound."""
    item = fetch_item(connection, namespace, kind, name)
    if item is None:
        raise item_not_found(namespace, kind, name)
    return item


@retried
def add_item(request: ImageRequest, item: Item) -> Namespace:
    """Add *item* to the namespace of the request's path. Raises Conflict if the name is in use."""
    with namespace_to_change(request) as (connection, namespace):
        _check_name_free(connection, namespace, item)
        insert_items(connection, request.service.region.name, namespace, [item])
        return namespace


@retried
def replace_item(request: ImageRequest, name: str, item: Item) -> Namespace:
    """
    Replace the item *name* by *item*, which gets the creation time of the old one.

    Raises:
        NotFound: There is no such item.
        Conflict: Another item has the new name.
    """
    with namespace_to_change(request) as (connection, namespace):
        before = existing_item(connection, namespace, item.kind, name)
        if item.name != name:
            _check_name_free(connection, namespace, item)
        item.id, item.created_at = before.id, before.created_at
        update_item(connection, item)
        return namespace


def _check_name_free(connection: Connection, namespace: Namespace, item: Item) -> None:
    if fetch_item(connection, namespace, item.kind, item.name) is not None:
        kind = item.kind.replace("_", " ")
        raise Conflict(f"Namespace {namespace.namespace} has a {kind} {item.name} already.")


@retried
def remove_item(request: ImageRequest, kind: Kind, name: str | None = None) -> None:
    """Remove one item of the namespace of the request's path, or all of *kind*. Raises NotFound."""
    with namespace_to_change(request) as (connection, namespace):
        if name is not None:
            existing_item(connection, namespace, kind, name)
        check_unprotected(namespace)
        delete_items(connection, namespace, kind, name)
