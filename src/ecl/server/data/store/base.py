"""
What keeps image bytes.

Every method blocks and is called from worker threads. Keys are image IDs in canonical form (lower-case UUIDs):
a caller passes nothing else, and a store refuses everything else, so no key can leave its folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from ecl.server.domain.ids import is_uuid

__all__ = [
    "DataMissing",
    "Judge",
    "Reader",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreTaken",
    "StoreUnavailable",
    "Swept",
    "Writer",
    "checked_key",
]

#: Takes a batch of keys; returns those whose bytes nobody needs, and those whose bytes belong here.
Judge: TypeAlias = Callable[[Collection[str]], tuple[Set[str], Set[str]]]


class StoreError(Exception):
    """The store could not do it."""


class StoreFull(StoreError):
    """There is no room for more bytes."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or does not let us in."""


class StoreTaken(StoreError):
    """The place belongs to another database, region or store; the message says to which, and what to do."""


class DataMissing(StoreError):
    """There are no bytes under that key."""


def checked_key(key: str) -> str:
    """
    Return *key* if it is a lower-case UUID.

    Raises:
        ValueError: It is anything else.
    """
    if not is_uuid(key):
        raise ValueError("a store key must be a lower-case UUID")
    return key


@dataclass(slots=True)
class Swept:
    """What `Store.sweep` removed, and what it left because the database does not account for it."""

    #: Files or objects.
    removed: int = 0
    unknown: int = 0
    unknown_bytes: int = 0
    #: Names of the first few that are unknown.
    examples: list[str] = field(default_factory=list)


class Writer(ABC):
    """One upload: nothing is visible under its key until `commit`."""

    @abstractmethod
    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append *block*, whole. Raises StoreFull or StoreUnavailable."""

    @abstractmethod
    def flush(self) -> None:
        """Make every byte written so far survive a crash, as far as the store can before `commit`."""

    @abstractmethod
    def commit(self) -> None:
        """Make the bytes readable under their key, durably. Quick after `flush`."""

    @abstractmethod
    def abort(self) -> None:
        """Remove what was written. Does nothing after `commit` or a first `abort`; never raises."""


class Reader(ABC):
    """The bytes of one image, which stay readable while the reader is open, even if the image is deleted."""

    #: Bytes.
    size: int

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*; fewer only at the end."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the bytes."""


class Store(ABC):
    """A place for the bytes of one region's images."""

    #: The name in the ``image_locations`` table and in X-Image-Meta-Store.
    name: str
    #: For people.
    description: str | None = None
    #: Nothing is written here or removed from here.
    read_only: bool = False
    #: What keeps the bytes, as Glance calls it.
    kind: str

    @property
    def properties(self) -> Mapping[str, str]:
        """How the store is set up, for administrators. No secrets."""
        return {}

    @abstractmethod
    def url(self, key: str) -> str:
        """Return where the bytes under *key* are, for administrators."""

    @abstractmethod
    def writer(self, key: str, upload_id: str) -> Writer:
        """Begin an upload. *upload_id* is a UUID of its own, so that two uploads for one key never mix."""

    @abstractmethod
    def reader(self, key: str) -> Reader:
        """Open the bytes under *key*. Raises DataMissing or StoreUnavailable."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the bytes under *key*; no bytes is no error. Raises StoreUnavailable."""

    @abstractmethod
    def claim(self, database: str, region: str) -> None:
        """
        Mark the place as the one that belongs to this store of *region* in *database* (a UUID), durably.

        A read-only store is neither marked nor checked.

        Raises:
            StoreTaken: It has another mark.
            StoreUnavailable: It cannot be marked.
        """

    @abstractmethod
    def sweep(self, judge: Judge, uploads: Set[str] = frozenset()) -> Swept:
        """
        Remove what is known to be dead: bytes under keys that *judge* says nobody needs, and unfinished uploads.

        Called at start, before any upload. Of unfinished uploads go those in *uploads*, and all that began after
        `claim` had marked the place. Bytes that are neither dead nor known are left alone and counted.
        """
