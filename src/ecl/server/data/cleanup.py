"""Put a region in order at start: what a crash or a lost disk connection left half done is undone or finished."""

from __future__ import annotations

import logging
from collections.abc import Collection

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.db.engine import Database
from ecl.server.db.images import release_saving
from ecl.server.db.leftovers import dead_and_known_keys, dead_and_known_staged_keys, unfinished_uploads
from ecl.server.db.locations import pending_removals, remove_location

__all__ = ["delete_bytes", "recover", "remove_data"]

_log = logging.getLogger(__name__)


def recover(region: Region, database: Database) -> None:
    """
    Make *region* consistent. Called before the first request, by the only process that serves the region.

    Afterwards no image is saving, and no bytes belong to a deleted image. Imports go on where they were: what they
    need is kept. Files that the database does not account for are kept, too, and reported.
    """
    with database.read() as connection:
        removals = pending_removals(connection, region.name)
        uploads = unfinished_uploads(connection, region.name)
    for image_id, store in removals:
        remove_data(region, database, image_id, store)
    swept = sum(_sweep(region, database, store, uploads) for store in (region.staging, *region.stores))
    # Only now: once an image is queued, the sweep can no longer tell that its bytes are of an unfinished upload.
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
    """Remove what is dead from one store, and report what is unknown; return how many files were removed."""

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


def delete_bytes(region: Region, store: Store, image_id: str) -> bool:
    """Remove the bytes of an image from one store; return False, and log it, if the store fails."""
    try:
        # What a read-only store has, it keeps.
        if not store.read_only:
            store.delete(image_id)
    except StoreError as exc:
        _log.error("image %s of region %s: data not removed yet: %s", image_id, region.name, exc)
        return False
    return True


def remove_data(region: Region, database: Database, image_id: str, store_name: str) -> None:
    """
    Remove the bytes of a deleted image and then the record of where they were.

    If the store fails, the record stays, and the next start tries again.
    """
    store = region.store_named(store_name)
    if store is None:
        _log.error("image %s of region %s: there is no store %s", image_id, region.name, store_name)
        return
    if not delete_bytes(region, store, image_id):
        return
    with database.write() as connection:
        remove_location(connection, region.name, image_id, store_name)
