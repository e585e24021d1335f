"""Remove the data of images: while serving requests, and at start where a request could not."""

from __future__ import annotations

import logging

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.db.engine import Database
from ecl.server.db.locations import remove_location

__all__ = ["delete_data", "remove_deleted"]

_log = logging.getLogger(__name__)


def delete_data(region: Region, store: Store, image_id: str) -> bool:
    """Remove the data of an image from one store. If the store fails, log it and return False."""
    try:
        # A read-only store keeps its data.
        if not store.read_only:
            store.delete(image_id)
    except StoreError as exc:
        _log.error("image %s of region %s: data not removed yet: %s", image_id, region.name, exc)
        return False
    return True


def remove_deleted(region: Region, database: Database, image_id: str, store_name: str) -> None:
    """
    Remove the data of a deleted image from one store, and then the record of its location.

    If the store fails, the record stays, and the next start tries again.
    """
    store = region.store_named(store_name)
    if store is None:
        _log.error("image %s of region %s: there is no store %s", image_id, region.name, store_name)
        return
    if not delete_data(region, store, image_id):
        return
    with database.write() as connection:
        remove_location(connection, region.name, image_id, store_name)
