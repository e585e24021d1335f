"""What every resource of the metadata definitions does: find the namespace, and check who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from ecl.server.api.common.request import ImageRequest
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


def _seen(connection: Connection, request: ImageRequest) -> Namespace:
    name = request.path_params["namespace"]
    namespace = fetch_namespace(connection, request.service.region.name, name)
    if namespace is None or not sees(request.caller, namespace):
        raise namespace_not_found(name)
    return namespace


@contextmanager
def visible_namespace(request: ImageRequest) -> Iterator[tuple[Connection, Namespace]]:
    """
    Give the namespace of the request's path, in a transaction that reads.

    Raises:
        NotFound: It is not there, or the caller does not see it.
        Forbidden: The caller may read no definitions.
    """
    with request.service.database.read() as connection:
        namespace = _seen(connection, request)
        check_reads(request.caller)
        yield connection, namespace


@contextmanager
def namespace_to_change(request: ImageRequest, *, deletes: bool = False) -> Iterator[tuple[Connection, Namespace]]:
    """
    Give the namespace of the request's path, in a transaction that writes.

    Args:
        deletes: Something is to be deleted of it.

    Raises:
        NotFound: It is not there, or the caller does not see it.
        Forbidden: The caller may not change it, or it is protected and *deletes*.
    """
    with request.service.database.write() as connection:
        namespace = _seen(connection, request)
        check_can_write(request.caller)
        if deletes:
            check_unprotected(namespace)
        yield connection, namespace


def item_not_found(namespace: Namespace, kind: Kind, name: str) -> NotFound:
    """Return the answer for an item that is not in *namespace*."""
    return NotFound(f"Namespace {namespace.namespace} has no {kind.replace('_', ' ')} {name[:80]}.")


def existing_item(connection: Connection, namespace: Namespace, kind: Kind, name: str) -> Item:
    """Return the item. Raises NotFound."""
    item = fetch_item(connection, namespace, kind, name)
    if item is None:
        raise item_not_found(namespace, kind, name)
    return item


def add_item(request: ImageRequest, item: Item) -> Namespace:
    """Add *item* to the namespace of the request's path. Raises Conflict if there is one of its name."""
    with namespace_to_change(request) as (connection, namespace):
        _refuse_name(connection, namespace, item)
        insert_items(connection, request.service.region.name, namespace, [item])
        return namespace


def replace_item(request: ImageRequest, name: str, item: Item) -> Namespace:
    """
    Put *item* in the place of the one called *name*; *item* has its creation time afterwards.

    Raises:
        NotFound: There is none.
        Conflict: There is another one with the new name.
    """
    with namespace_to_change(request) as (connection, namespace):
        before = existing_item(connection, namespace, item.kind, name)
        if item.name != name:
            _refuse_name(connection, namespace, item)
        item.id, item.created_at = before.id, before.created_at
        update_item(connection, item)
        return namespace


def _refuse_name(connection: Connection, namespace: Namespace, item: Item) -> None:
    if fetch_item(connection, namespace, item.kind, item.name) is not None:
        kind = item.kind.replace("_", " ")
        raise Conflict(f"Namespace {namespace.namespace} has a {kind} {item.name} already.")


def remove_item(request: ImageRequest, kind: Kind, name: str | None = None) -> None:
    """Remove one item of the namespace of the request's path, or all of *kind*. Raises NotFound."""
    with namespace_to_change(request) as (connection, namespace):
        if name is not None:
            existing_item(connection, namespace, kind, name)
        check_unprotected(namespace)
        delete_items(connection, namespace, kind, name)
