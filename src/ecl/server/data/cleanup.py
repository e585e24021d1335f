"""Put a region in order at start: what a crash or a lost disk connection left half done is undone or finished."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.db.engine import Database
from ecl.server.db.images import release_saving
from ecl.server.db.locations import keys_with_data, pending_removals, remove_location, staged_keys

__all__ = ["delete_bytes", "recover", "remove_data"]

_log = logging.getLogger(__name__)


def recover(region: Region, database: Database) -> None:
    """
    Make *region* consistent. Called before the first request, by the only process that serves the region.

    Afterwards no image is saving, no bytes belong to a deleted image, and no file belongs to no image. Imports go on
    where they were: what they need is kept.
    """
    with database.write() as connection:
        released = release_saving(connection, region.name)
    with database.read() as connection:
        removals = pending_removals(connection, region.name)
    for image_id, store in removals:
        remove_data(region, database, image_id, store)

    def staged(keys: Collection[str]) -> frozenset[str]:
        with database.read() as connection:
            return staged_keys(connection, region.name, keys)

    swept = region.staging.sweep(staged)
    for each in region.stores:
        swept += each.sweep(partial(_with_data, region, database, each.name))
    if released or removals or swept:
        _log.warning(
            "region %s recovered: %d uploads back to queued, %d deleted images' data removed, %d stray files removed",
            region.name,
            released,
            len(removals),
            swept,
        )


def _with_data(region: Region, database: Database, store: str, keys: Collection[str]) -> frozenset[str]:
    with database.read() as connection:
        return keys_with_data(connection, region.name, store, keys)


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
