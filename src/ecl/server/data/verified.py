"""Data from elsewhere, checked while it is read: its last bytes are not handed out unless the hash is right."""

from __future__ import annotations

import hashlib

from ecl.server.data.store.base import Reader, StoreError

__all__ = ["VerifiedReader"]


class VerifiedReader(Reader):
    """
    The data of *inner*, which fails at its last bytes if the whole does not have the hash.

    Only data that is read from the first byte to the last is checked; a range is not.

    Args:
        algorithm: Of `hashlib`.
        expected: The hash, in hexadecimal.
    """

    def __init__(self, inner: Reader, algorithm: str, expected: str) -> None:
        self._inner = inner
        self._hash = hashlib.new(algorithm)
        self._expected = expected
        self._hashed = 0
        self.size = inner.size

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*. Raises StoreError if these are the last ones of wrong data."""
        block = self._inner.read(offset, length)
        if offset == self._hashed:
            self._hash.update(block)
            self._hashed += len(block)
            if self._hashed == self.size and self._hash.hexdigest() != self._expected:
                raise StoreError("the data does not have the hash of the image")
        return block

    def close(self) -> None:
        """Release the data."""
        self._inner.close()
