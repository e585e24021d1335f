"""
The interface of a store, which keeps the data of images.

Every method blocks; call it in a worker thread. Each key is made for one upload and used once, so the data under a key
never changes. Keys are lower-case UUIDs, and a store refuses any other key, so no key can leave its folder or prefix.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ecl.server.domain.ids import is_uuid

__all__ = [
    "DataMissing",
    "Reader",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreTaken",
    "StoreUnavailable",
    "Stored",
    "Writer",
    "checked_key",
]

#: Bytes per read of a copy.
_COPY_BLOCK = 1 << 20


class StoreError(Exception):
    """The store failed."""

    #: What kind of place failed, for people.
    place = "folder"


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


@dataclass(frozen=True, slots=True)
class Stored:
    """A file or object in a store, an unfinished upload included."""

    key: str
    #: Its name in the store, for people.
    name: str
    #: Bytes.
    size: int
    #: When it was last written, in seconds since 1970, by the clock of the store.
    modified: float


class Writer(ABC):
    """
    One upload: no data is visible under its key until `commit`.

    The caller may fill its block with other data as soon as `write` has returned.
    """

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
        """Remove what is written. This does nothing after `commit` or `abort`, and never raises."""


class Reader(ABC):
    """
    The data of one image.

    It stays readable while the reader is open, even if the image is deleted: after `Store.delete`, or for
    `Store.removal_delay` seconds, which pass before that.
    """

    #: Bytes.
    size: int
    #: A file that has the data and nothing else, so that the kernel can send it; None if there is none.
    descriptor: int | None = None

    def expect(self, end: int) -> None:  # noqa: B027 - most readers fetch nothing ahead
        """Say that nothing from *end* on will be read, so that it need not be fetched ahead."""

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
    #: Seconds from when data is out of use until it is removed, because an open reader cannot hold it.
    removal_delay: float = 0
    #: An image in several stores is read from the one of the largest weight.
    weight: int = 0
    #: True if what is downloaded from it is kept in the image cache.
    cached: bool = False
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
    def writer(self, key: str, size: int | None = None) -> Writer:
        """
        Start an upload to *key*, which has never been used before.

        Args:
            size: Bytes that will come, if that is known. More or fewer are no error.

        Raises:
            StoreFull: There is no room.
            StoreUnavailable: The store cannot be written to.
        """

    @abstractmethod
    def reader(self, key: str) -> Reader:
        """Open the data under *key*. Raises DataMissing or StoreUnavailable."""

    def copy_to(self, key: str, target: Path, *, link: bool) -> bool:  # noqa: ARG002 - for stores of files
        """
        Write the data under *key* to the file *target*, which does not exist, durably.

        Args:
            link: A hard link will do.

        Returns:
            True if it is a hard link.

        Raises:
            DataMissing, StoreUnavailable: The data cannot be read.
            OSError: The file cannot be written.
        """
        with closing(self.reader(key)) as reader, target.open("xb") as file:
            for offset in range(0, reader.size, _COPY_BLOCK):
                file.write(reader.read(offset, _COPY_BLOCK))
            file.flush()
            os.fsync(file.fileno())
        return False

    def add_from(self, key: str, source: Path, *, link: bool) -> bool:  # noqa: ARG002 - as above
        """
        Store the data of the file *source* under *key*, which has never been used here. Call `claim` after the last.

        Args:
            link: A hard link will do.

        Returns:
            True if it is a hard link.

        Raises:
            StoreFull, StoreUnavailable: The data cannot be stored.
            OSError: The file cannot be read.
        """
        writer = self.writer(key)
        try:
            with source.open("rb") as file:
                while block := file.read(_COPY_BLOCK):
                    writer.write(block)
            writer.commit()
        except BaseException:
            writer.abort()
            raise
        return False

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the data under *key*, of an upload, too. There may be none. Raises StoreUnavailable."""

    def staging(self) -> Store | None:
        """Return a staging area in the same place, of which `has_data_of` is true; None if there can be none."""
        return None

    def has_data_of(self, other: Store) -> bool:  # noqa: ARG002 - a store of its own has none
        """Return True if what is under a key of *other* is under the same key here, without being moved."""
        return False

    @abstractmethod
    def claim(self, database: str, region: str) -> None:
        """
        Mark the place durably as this store of *region* in *database* (a UUID).

        A read-only store is neither marked nor checked.

        Raises:
            StoreTaken: It has the mark of another store.
            StoreUnavailable: It cannot be marked.
        """

    @property
    def has_mark(self) -> bool:
        """True if the place has a mark of `claim`, of whichever store, or needs none."""
        return True

    def check(self, database: str, region: str) -> None:  # noqa: B027 - a store without folders has nothing to check
        """
        Check that the place is there and has the mark of `claim`; of a read-only one, that it is there.

        Raises:
            StoreTaken: It has the mark of another store.
            StoreUnavailable: It is not there, or has no mark: perhaps its disk is not mounted.
        """

    @property
    def free_bytes(self) -> int | None:
        """Bytes that still fit; None if the store does not know. Raises StoreUnavailable."""
        return None

    @abstractmethod
    def entries(self) -> Iterator[Stored]:
        """
        Yield all that is stored under keys, unfinished uploads as far as they can be seen included.

        What has another name is not the store's. What comes or goes meanwhile may be missing.

        Raises:
            StoreUnavailable: The store cannot be listed.
        """
