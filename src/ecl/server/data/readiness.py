"""Whether the database and the stores are there, are ours, and have room."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database, DatabaseError, first_line
from ecl.server.http.health import Finding

__all__ = ["LEAST_FREE", "findings"]

_log = logging.getLogger(__name__)

#: With fewer free bytes a disk counts as full: a few small files still fit, an image does not.
LEAST_FREE = 16 << 20


def findings(database: Database, regions: Sequence[Region]) -> list[Finding]:
    """Look at everything that the service needs. Blocks."""
    try:
        database.check_identity()
        with database.read() as connection:
            identity = database_id(connection)
    except DatabaseError as exc:
        _log.warning("the database fails: %s", first_line(exc))
        return [Finding("database", "does not answer, or is not the right one")]
    return [_of_database(database), *(found for region in regions for found in _of_region(region, identity))]


def _of_database(database: Database) -> Finding:
    if database.is_full:
        return Finding("database", "is full", is_fatal=False)
    return _of_room("database", database.free_bytes)


def _of_region(region: Region, identity: str) -> Iterator[Finding]:
    for store in (*region.stores, region.staging):
        yield _of_store(region, store, identity)


def _of_store(region: Region, store: Store, identity: str) -> Finding:
    name = f"staging {region.name}" if store is region.staging else f"store {region.name}/{store.name}"
    try:
        store.check(identity, region.name)
        free = None if store.read_only else store.free_bytes
    except StoreError as exc:
        _log.warning("%s cannot be used: %s", name, exc)
        # Images of other stores can be read; without the default store and the staging area none can be stored.
        return Finding(name, "cannot be used", is_fatal=store in (region.store, region.staging))
    return _of_room(name, free)


def _of_room(name: str, free: int | None) -> Finding:
    """Return that there is room, or not: reading goes on then."""
    if free is not None and free < LEAST_FREE:
        return Finding(name, f"is full: {free} bytes are free", is_fatal=False)
    return Finding(name)
