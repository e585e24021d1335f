"""Queries on garbage: the data that is to be removed. Nothing else is ever removed from a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, insert, select, union_all, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import garbage, image_locations, staged_data, uploads

__all__ = [
    "STAGING",
    "Garbage",
    "add_garbage",
    "due_garbage",
    "is_in_use",
    "known_keys",
    "postpone_garbage",
    "remove_garbage",
]

#: The staging area where others have a store's name. No store can have this one.
STAGING = "os_glance_staging_store"


@dataclass(frozen=True, slots=True)
class Garbage:
    """Data that is to be removed."""

    region: str
    #: A store's name, or `STAGING`.
    store: str
    key: str
    image_id: str
    #: How often its removal has failed.
    attempts: int = 0
    #: Of data in the staging area: whose quota it counts for until it is gone, and its bytes.
    owner: str | None = None
    size: int | None = None


_COLUMNS = tuple(garbage.c[name] for name in Garbage.__dataclass_fields__)


def add_garbage(connection: Connection, item: Garbage) -> Garbage:
    """Let the data be removed, in the transaction that takes it out of use. Return *item*."""
    if connection.execute(select(garbage.c.key).where(_is(item))).first() is None:
        values = {name: getattr(item, name) for name in Garbage.__dataclass_fields__}
        connection.execute(insert(garbage).values(**values, not_before=database_now()))
    return item


def due_garbage(connection: Connection, regions: Collection[str], limit: int) -> Sequence[Garbage]:
    """Return up to *limit* items of *regions* that can be tried now, the oldest first."""
    query = select(*_COLUMNS).where(garbage.c.region.in_(regions), garbage.c.not_before <= database_now())
    return [Garbage(*row) for row in connection.execute(query.order_by(garbage.c.not_before).limit(limit))]


def remove_garbage(connection: Connection, items: Collection[Garbage]) -> None:
    """Record that the data is gone."""
    # In one order, because the reaper and requests may remove the same items at once.
    for item in sorted(items, key=lambda item: (item.region, item.store, item.key)):
        connection.execute(delete(garbage).where(_is(item)))


def postpone_garbage(connection: Connection, item: Garbage, delay: int) -> None:
    """Try again in *delay* microseconds."""
    connection.execute(
        update(garbage).where(_is(item)).values(not_before=database_now() + delay, attempts=item.attempts + 1)
    )


def is_in_use(connection: Connection, region: str, store: str, key: str) -> bool:
    """Return True if an image of *region* has its data, or staged data, in *store* under *key*."""
    return bool(_used_keys(connection, region, store, [key]))


def _used_keys(connection: Connection, region: str, store: str, keys: Collection[str]) -> frozenset[str]:
    if store == STAGING:
        staged = select(staged_data.c.key).where(staged_data.c.region == region, staged_data.c.key.in_(list(keys)))
        # An import may have given the data to a store without moving it.
        locations = image_locations.c
        imported = select(locations.key).where(locations.region == region, locations.key.in_(list(keys)))
        return frozenset(connection.execute(staged.union_all(imported)).scalars())
    query = _keys_in(image_locations, region, store, keys)
    return frozenset(connection.execute(query).scalars())


def _keys_in(table: Table, region: str, store: str, keys: Collection[str]) -> Select[str]:
    columns = table.c
    return select(columns.key).where(columns.region == region, columns.store == store, columns.key.in_(list(keys)))


def known_keys(connection: Connection, region: str, store: str, keys: Collection[str]) -> frozenset[str]:
    """
    Return those of *keys* that the database knows in *store*: in use, being written, or to be removed.

    Args:
        store: A store's name, or `STAGING`.
    """
    unused = union_all(*(_keys_in(table, region, store, keys) for table in (uploads, garbage)))
    return _used_keys(connection, region, store, keys) | frozenset(connection.execute(unused).scalars())


def _is(item: Garbage) -> ColumnElement[bool]:
    return (garbage.c.region == item.region) & (garbage.c.store == item.store) & (garbage.c.key == item.key)
