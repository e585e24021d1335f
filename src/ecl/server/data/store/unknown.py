"""Find the data in a store that the database does not know. It is reported, and never removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from ecl.server.data.store.base import Store, Stored

__all__ = ["Known", "Unknown", "find_unknown", "unknown_in"]

#: A function of a batch of keys: it returns those that the database knows.
Known: TypeAlias = Callable[[Collection[str]], Set[str]]

#: Keys per query: SQLite before 3.32 takes 999 parameters, and each key is two.
_BATCH = 400
#: Names of unknown data that are reported.
_EXAMPLES = 3


@dataclass(slots=True)
class Unknown:
    """The data in a store that the database does not know."""

    #: Files or objects.
    count: int = 0
    bytes: int = 0
    #: Names of the first ones.
    examples: list[str] = field(default_factory=list)


def find_unknown(store: Store, known: Known, is_stopping: Callable[[], bool] = lambda: False) -> Unknown:
    """
    Look for data in *store*, unfinished uploads included, under keys that are not *known*. Nothing is changed.

    Args:
        is_stopping: Called at every batch; True ends the search.

    Raises:
        StoreUnavailable: The store cannot be listed.
    """
    found = Unknown()
    for each in unknown_in(store, known, is_stopping):
        found.count += 1
        found.bytes += each.size
        if len(found.examples) < _EXAMPLES:
            found.examples.append(each.name)
    return found


def unknown_in(store: Store, known: Known, is_stopping: Callable[[], bool] = lambda: False) -> Iterator[Stored]:
    """
    Yield the data in *store*, unfinished uploads included, under keys that are not *known*. Nothing is changed.

    The keys of a batch are listed first and asked for after that, so an upload that begins meanwhile is known.

    Args:
        is_stopping: Called at every batch; True ends the search.

    Raises:
        StoreUnavailable: The store cannot be listed.
    """
    for batch in _batches(store.entries()):
        if is_stopping():
            return
        found = known([each.key for each in batch])
        yield from (each for each in batch if each.key not in found)


def _batches(entries: Iterable[Stored]) -> Iterator[list[Stored]]:
    batch: list[Stored] = []
    for each in entries:
        batch.append(each)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
