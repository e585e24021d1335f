"""
Remove data that is out of use: what is in the database's garbage, and nothing else.

The transaction that takes data out of use puts it there. Requests remove it at once after that, but do not depend on
it: what fails, or is cut short by a crash, the reaper removes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from ecl.server.data.region import Region
from ecl.server.data.store.base import StoreError
from ecl.server.db.engine import Database, DatabaseError, first_line
from ecl.server.db.garbage import Garbage, due_garbage, is_in_use, postpone_garbage, remove_garbage

__all__ = ["remove_due", "remove_now"]

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
