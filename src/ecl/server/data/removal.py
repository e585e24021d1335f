"""
Remove data that is out of use: what is in the database's garbage, and nothing else.

The transaction that takes data out of use puts it there. Requests remove it at once after that, but do not depend on
it: what fails, or is cut short by a crash, the reaper removes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.data.store.unknown import Known
from ecl.server.db.engine import Database, DatabaseError, first_line
from ecl.server.db.garbage import (
    Garbage,
    add_garbage,
    due_garbage,
    is_in_use,
    known_keys,
    postpone_garbage,
    remove_garbage,
)
from ecl.server.db.holds import is_held

__all__ = ["known_in", "remove_due", "remove_now", "remove_unknown"]

_log = logging.getLogger(__name__)

#: Items of one batch of the reaper.
_BATCH = 500
#: Longest time in microseconds between two attempts.
_LONGEST_DELAY = 3600 * 1_000_000


def remove_now(region: Region, database: Database, items: Sequence[Garbage], *, is_unread: bool = False) -> None:
    """
    Remove the data of *items*, whose transaction is committed. What cannot be removed now is removed later.

    Args:
        is_unread: True if nobody can be reading the data, so that no store needs to keep it for a while.
    """
    if not items or _must_wait(database):
        return
    removed = [item for item in items if (is_unread or not _delay(region, item)) and _remove(region, item)]
    if not removed:
        return
    try:
        with database.write() as connection:
            remove_garbage(connection, removed)
    except DatabaseError as exc:
        _log.warning("removed data stays recorded for now: %s", first_line(exc))


def remove_due(regions: Collection[Region], database: Database, delay: int) -> bool:
    """
    Remove the oldest data whose time has come.

    Args:
        delay: Microseconds until the next attempt, if one fails; each time twice as many.

    Returns:
        True if there may be more.
    """
    by_name = {region.name: region for region in regions}
    with database.read() as connection:
        if is_held(connection):
            return False
        due = due_garbage(connection, list(by_name), _BATCH)
        # Another release may have used the key, which the image's ID was once.
        in_use = {item for item in due if is_in_use(connection, item.region, item.store, item.key)}
    if not due:
        return False
    removed, failed, kept = [], [], []
    for item in due:
        if item.attempts == 0 and item not in in_use and _delay(by_name[item.region], item):
            kept.append(item)
        elif item in in_use:
            _log.error("image %s: the data %s is in use, and is not removed", item.image_id, item.key)
            failed.append(item)
        elif _remove(by_name[item.region], item):
            removed.append(item)
        else:
            failed.append(item)
    with database.write() as connection:
        remove_garbage(connection, removed)
        for item in kept:
            postpone_garbage(connection, item, int(_delay(by_name[item.region], item) * 1_000_000))
        for item in failed:
            postpone_garbage(connection, item, min(delay << min(item.attempts, 20), _LONGEST_DELAY))
    return len(due) == _BATCH


def _delay(region: Region, item: Garbage) -> float:
    """Return the seconds for which the store keeps data that is out of use, for those who are reading it."""
    store = region.store_at(item.store)
    return 0 if store is None or store.read_only else store.removal_delay


def _must_wait(database: Database) -> bool:
    """Return True while a backup keeps garbage, or that is not known."""
    try:
        with database.read() as connection:
            return is_held(connection)
    except DatabaseError:
        return True


def known_in(database: Database, region: Region, store: Store) -> Known:
    """Return a function that asks the database which keys it knows in *store*, or in the staging area."""
    places = [region.place_of(store)]
    if store is region.store_with_staging:
        places.append(region.place_of(region.staging))

    def known(keys: Collection[str]) -> frozenset[str]:
        # One transaction, so a key that changes its table meanwhile is in one of them.
        with database.read() as connection:
            return frozenset().union(*(known_keys(connection, region.name, place, keys) for place in places))

    return known


def remove_unknown(region: Region, database: Database, store: Store, key: str) -> bool:
    """Remove data that the database does not know. Return False, and do nothing, if it knows the key."""
    if known_in(database, region, store)([key]):
        return False
    # It is of no image. A crash from here on leaves the rest to the reaper. A key is made once, so none becomes known.
    with database.write() as connection:
        item = add_garbage(connection, Garbage(region.name, region.place_of(store), key, ""))
    remove_now(region, database, [item], is_unread=True)
    return True


def _remove(region: Region, item: Garbage) -> bool:
    """Remove the data. Return False, after logging why, if that is not possible now."""
    store = region.store_at(item.store)
    if store is None or store.read_only:
        why = "is not in the settings" if store is None else "is read-only"
        _log.info("image %s of region %s: its data stays: the store %s %s", item.image_id, region.name, item.store, why)
        return False
    try:
        store.delete(item.key)
    except StoreError as exc:
        _log.error("image %s of region %s: data not removed yet: %s", item.image_id, region.name, exc)
        return False
    return True
