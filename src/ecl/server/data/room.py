"""Room on the disks of the stores, and what a client is told when there is none."""

from __future__ import annotations

from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.errors import NoSpace

__all__ = ["check_room", "free_bytes", "no_room"]


def free_bytes(store: Store) -> int | None:
    """Return the free bytes of the store's disk; None if that is not known."""
    try:
        return store.free_bytes
    except StoreError:
        return None


def no_room(region: Region, store: Store, needed: int | None = None) -> NoSpace:
    """
    Return the error for data that does not fit into *store*.

    Args:
        needed: Bytes of the data, None if that is not known.
    """
    what = "staging area" if store is region.staging else f"store {store.name}"
    free = free_bytes(store)
    room = "" if free is None else f" ({free} bytes are free{'' if needed is None else f', {needed} are needed'})"
    return NoSpace(f"The disk of the {what} of region {region.name} is full{room}; its operator must free some space.")


def check_room(region: Region, store: Store, needed: int, free: int | None) -> None:
    """Raise NoSpace if data of *needed* bytes does not fit into *free* ones."""
    if free is not None and needed > free:
        raise no_room(region, store, needed)
