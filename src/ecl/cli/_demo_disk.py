"""A disk image to show things with: a boot sector, data, and holes."""

from __future__ import annotations

import random
import struct
from pathlib import Path

__all__ = ["make_disk"]

_MIB = 1 << 20
_SECTOR = 512


def make_disk(path: Path, size: int = 256 * _MIB) -> None:
    """
    Write a raw disk of *size* bytes, half of it data, the rest holes that take no room.

    Args:
        size: A multiple of 1 MiB, and at least 4 of them.
    """
    noise = random.Random(2)  # noqa: S311 - data, not a secret; the same each time
    quarter = size // 4 // _MIB * _MIB
    with path.open("wb") as file:
        file.write(_boot_sector(size))
        for start in (_MIB, 2 * quarter):
            file.seek(start)
            for _ in range(quarter // _MIB):
                file.write(noise.randbytes(_MIB))
        file.truncate(size)


def _boot_sector(size: int) -> bytes:
    """Return a master boot record with one Linux partition, from the second MiB to the end."""
    first = _MIB // _SECTOR
    # Bootable flag, three bytes of an address that nothing reads any more, type, address, first sector, sectors.
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", first, size // _SECTOR - first)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"
