"""
What keeps image bytes.

Every method blocks and is called from worker threads. Keys are image IDs in canonical form (lower-case UUIDs):
a caller passes nothing else, and a store refuses everything else, so no key can leave its folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Set

from ecl.server.domain.ids import is_uuid

__all__ = [
    "DataMissing",
    "Reader",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Writer",
    "checked_key",
]


class StoreError(Exception):
    """The store could not do it."""


class StoreFull(StoreError):
    """There is no room for more bytes."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or does not let us in."""


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
    def sweep(self, known: Callable[[Collection[str]], Set[str]]) -> int:
        """
        Remove what no image needs: unfinished uploads, and bytes under keys that *known* does not return.

        Called at start, before any upload. *known* takes a batch of keys and returns those to keep.

        Returns:
            How many files or objects were removed.
        """
