"""What the bytes of an image say about it: hashes, format, sizes. Fed block by block while they pass by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from ecl.server.domain.inspection import Inspection

__all__ = ["Content", "format_to_inspect"]


def format_to_inspect(disk_format: str | None, container_format: str | None) -> str | None:
    """Return the format that the content must have; None: it is not inspected."""
    # Only a bare image is what its disk_format says; the others are wrapped.
    return disk_format if container_format == "bare" else None


class Content:
    """
    Takes in the bytes of one image.

    Args:
        hash_algorithm: The hash beside md5.
        inspect_as: What `format_to_inspect` returns.
    """

    def __init__(self, hash_algorithm: str, inspect_as: str | None) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hash = hashlib.new(hash_algorithm)
        self._inspection = Inspection(inspect_as) if inspect_as is not None else None

    @property
    def consumers(self) -> Sequence[Callable[[bytes | memoryview], None]]:
        """What wants every block, each in a thread of its own."""
        return (self._md5.update, self._hash.update)

    def inspect(self, block: bytes | memoryview) -> None:
        """Look at the next *block*; quick, so not worth a thread."""
        if self._inspection is not None:
            self._inspection.feed(block)

    def attributes(self, size: int) -> dict[str, Any]:
        """
        Return the image's columns that follow from all its *size* bytes.

        Raises:
            UnsupportedMedia: The content is not what it should be, or not safe.
        """
        return {
            "size": size,
            "virtual_size": self._inspection.conclude() if self._inspection is not None else None,
            "checksum": self._md5.hexdigest(),
            "os_hash_algo": self._hash.name,
            "os_hash_value": self._hash.hexdigest(),
        }
