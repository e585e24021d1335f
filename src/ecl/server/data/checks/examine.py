"""Compare one copy of an image with what the database says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Protocol

from ecl.server.data.store.base import DataMissing, Reader, Store, StoreError
from ecl.server.db.copies import Copy

__all__ = ["OnBlock", "blocks_of", "digest_of", "examine", "expected_digest"]

#: Bytes per read.
_BLOCK = 1 << 20

#: Called with the number of bytes of each block that was read. It may wait, or raise to end the work.
OnBlock = Callable[[int], None]


class Digest(Protocol):
    """A hash of `hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Add *data*."""

    def hexdigest(self) -> str:
        """Return the hash of all data."""


def digest_of(copy: Copy) -> Digest:
    """Return a new hash of the kind that *copy* is compared by."""
    if copy.os_hash_algo is not None:
        return hashlib.new(copy.os_hash_algo)
    return hashlib.md5(usedforsecurity=False)


def expected_digest(copy: Copy) -> str | None:
    """Return the hash that *copy* must have; None if it is not known."""
    return copy.os_hash_value if copy.os_hash_algo is not None else copy.checksum


def blocks_of(reader: Reader, on_block: OnBlock) -> Iterator[bytes]:
    """Yield all data of *reader*."""
    for offset in range(0, reader.size, _BLOCK):
        block = reader.read(offset, _BLOCK)
        on_block(len(block))
        yield block


def examine(store: Store, copy: Copy, *, hashes: bool, on_block: OnBlock) -> str | None:
    """
    Return what is wrong with *copy*: "missing", "unreadable", "wrong size" or "wrong hash"; None if it is sound.

    Args:
        hashes: Read the data and compare its hash; otherwise compare the size only.
    """
    try:
        with closing(store.reader(copy.key)) as reader:
            if copy.size is not None and reader.size != copy.size:
                return "wrong size"
            expected = expected_digest(copy)
            if not hashes or expected is None:
                return None
            digest = digest_of(copy)
            for block in blocks_of(reader, on_block):
                digest.update(block)
            return None if digest.hexdigest() == expected else "wrong hash"
    except DataMissing:
        return "missing"
    except StoreError:
        return "unreadable"
