"""
The interface of a store, which keeps the data of images.

Every method blocks; call it in a worker thread. Keys are image IDs in canonical form (lower-case UUIDs), and a store
refuses any other key, so no key can leave its folder.
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

#: A function of a batch of keys: it returns those with data that nothing needs, and those with data that belongs here.
Judge: TypeAlias = Callable[[Collection[str]], tuple[Set[str], Set[str]]]


class StoreError(Exception):
    """The store failed."""


class StoreFull(StoreError):
    """The store is full."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or denies access."""


class StoreTaken(StoreError):
    """The store belongs to another database, region or store; the message says to which, and what to do."""


class DataMissing(StoreError):
    """There is no data under this key."""


def checked_key(key: str) -> str:
    """
    Return *key* if it is a lower-case UUID.

    Raises:
        ValueError: It is not.
    """
    if not is_uuid(key):
        raise ValueError("a store key must be a lower-case UUID")
    return key


@dataclass(slots=True)
class Swept:
    """The result of `Store.sweep`: what was removed, and what was left because the database does not know it."""

    #: Files or objects.
    removed: int = 0
    unknown: int = 0
    unknown_bytes: int = 0
    #: Names of the first unknown ones.
    examples: list[str] = field(default_factory=list)


class Writer(ABC):
    """One upload: no data is visible under its key until `commit`."""

    @abstractmethod
    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append the whole *block*. Raises StoreFull or StoreUnavailable."""

    @abstractmethod
    def flush(self) -> None:
        """Make all written data durable, as far as the store can before `commit`."""

    @abstractmethod
    def commit(self) -> None:
        """Make the data readable under its key, durably. This is quick after `flush`."""

    @abstractmethod
    def abort(self) -> None:
        """Remove the written data. This does nothing after `commit` or `abort`, and never raises."""


class Reader(ABC):
    """The data of one image. It stays readable while the reader is open, even if the image is deleted."""

    #: Bytes.
    size: int

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*; fewer only at the end."""

    @abstractmethod
    def close(self) -> None:
        """Release the data."""


class Store(ABC):
    """A place for the data of one region's images."""

    #: The name in the ``image_locations`` table and in X-Image-Meta-Store.
    name: str
    #: For people.
    description: str | None = None
    #: True if nothing is written here or removed from here.
    read_only: bool = False
    #: Glance's name for this kind of store.
    kind: str

    @property
    def properties(self) -> Mapping[str, str]:
        """The configuration of the store, for administrators. It has no secrets."""
        return {}

    @abstractmethod
    def url(self, key: str) -> str:
        """Return the URL of the data under *key*, for administrators."""

    @abstractmethod
    def writer(self, key: str, upload_id: str) -> Writer:
        """Start an upload. Each has its own *upload_id*, a UUID, so that two uploads for one key never mix."""

    @abstractmethod
    def reader(self, key: str) -> Reader:
        """Open the data under *key*. Raises DataMissing or StoreUnavailable."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the data under *key*; it is not an error if there is none. Raises StoreUnavailable."""

    @abstractmethod
    def claim(self, database: str, region: str) -> None:
        """
        Mark the place durably as this store of *region* in *database* (a UUID).

        A read-only store is neither marked nor checked.

        Raises:
            StoreTaken: It has the mark of another store.
            StoreUnavailable: It cannot be marked.
        """

    @abstractmethod
    def sweep(self, judge: Judge, uploads: Set[str] = frozenset()) -> Swept:
        """
        Remove dead data: that under keys that nothing needs according to *judge*, and unfinished uploads.

        Call this at start, before any upload. It removes the unfinished *uploads*, and those that started after `claim`
        had marked the place. Data that is neither dead nor known is counted and left alone.
        """
