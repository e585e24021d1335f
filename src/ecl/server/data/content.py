"""Compute what depends on the data of an image, block by block: hashes, format, sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from ecl.server.domain.inspection import Inspection

__all__ = ["Content", "format_to_inspect"]


def format_to_inspect(disk_format: str | None, container_format: str | None) -> str | None:
    """Return the format that the data must have, None if it is not inspected."""
    # Only the data of a bare image has its disk_format; other data is in a container.
    return disk_format if container_format == "bare" else None


class Content:
    """
    Computes hashes and sizes of one image, and inspects its format.

    Args:
        hash_algorithm: The hash besides md5.
        inspect_as: From `format_to_inspect`.
        must_match: See `Inspection`.
    """

    def __init__(self, hash_algorithm: str, inspect_as: str | None, *, must_match: bool = True) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hash = hashlib.new(hash_algorithm)
        self._inspection = Inspection(inspect_as, must_match=must_match) if inspect_as is not None else None

    @property
    def consumers(self) -> Sequence[Callable[[bytes | memoryview], None]]:
        """Functions that need every block; each is slow enough for a thread of its own."""
        return (self._md5.update, self._hash.update)

    def inspect(self, block: bytes | memoryview) -> None:
        """Inspect the next *block*. This is quick, so it needs no thread."""
        if self._inspection is not None:
            self._inspection.feed(block)

    def attributes(self, size: int) -> dict[str, Any]:
        """
        Return the image's attributes that follow from its *size* bytes of data, after the last block.

        Raises:
            UnsupportedMedia: The data does not have its declared format, or is not safe.
        """
        return {
            "size": size,
            "virtual_size": self._inspection.conclude() if self._inspection is not None else None,
            "checksum": self._md5.hexdigest(),
            "os_hash_algo": self._hash.name,
            "os_hash_value": self._hash.hexdigest(),
        }
