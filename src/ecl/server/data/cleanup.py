"""Clean up a region at start: undo or finish what a crash or a lost disk connection left half done."""

from __future__ import annotations

import logging
from collections.abc import Collection

from ecl.server.data.region import Region
from ecl.server.data.removal import remove_deleted
from ecl.server.data.store.base import Store
from ecl.server.db.engine import Database
from ecl.server.db.images import release_saving
from ecl.server.db.leftovers import dead_and_known_keys, dead_and_known_staged_keys, unfinished_uploads
from ecl.server.db.locations import pending_removals

__all__ = ["recover"]

_log = logging.getLogger(__name__)


def recover(region: Region, database: Database) -> None:
    """
    Make *region* consistent. Call this before the first request, in the only process that serves the region.

    Afterwards no image is saving, and no data belongs to a deleted image. What unfinished imports need is kept, and so
    are files that the database does not know; those are reported.
    """
    with database.read() as connection:
        removals = pending_removals(connection, region.name)
        uploads = unfinished_uploads(connection, region.name)
    for image_id, store in removals:
        remove_deleted(region, database, image_id, store)
    swept = sum(_sweep(region, database, store, uploads) for store in (region.staging, *region.stores))
    # After the sweep: once an image is queued, the sweep cannot tell that its data is of an unfinished upload.
    with database.write() as connection:
        released = release_saving(connection, region.name)
    if released or removals or swept:
        _log.warning(
            "region %s recovered: %d uploads back to queued, %d deleted images' data removed, %d stray files removed",
            region.name,
            released,
            len(removals),
            swept,
        )


def _sweep(region: Region, database: Database, store: Store, uploads: frozenset[str]) -> int:
    """Remove dead files from one store and report unknown ones. Return how many were removed."""

    def judge(keys: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        with database.read() as connection:
            if store is region.staging:
                return dead_and_known_staged_keys(connection, region.name, keys)
            return dead_and_known_keys(connection, region.name, store.name, keys)

    swept = store.sweep(judge, uploads)
    if swept.unknown:
        _log.warning(
            "region %s, store %s (%s): %d files (%d bytes) are unknown to the database and were left alone, such as "
            "%s; if they belong to another service, give this store a folder of its own; if an older database was "
            "restored, they may be newer images: save what is needed, then remove them by hand",
            region.name,
            store.name,
            ", ".join(store.properties.values()),
            swept.unknown,
            swept.unknown_bytes,
            ", ".join(swept.examples),
        )
    return swept.removed
