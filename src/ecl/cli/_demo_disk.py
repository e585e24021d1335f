"""Make a sample disk image: a boot sector, data, and holes."""

from __future__ import annotations

import random
import struct
from pathlib import Path

__all__ = ["make_disk"]

_MIB = 1 << 20
_SECTOR = 512


def make_disk(path: Path, size: int = 256 * _MIB) -> None:
    """
    Write a raw disk of *size* bytes: half data, half holes that take no disk space.

    Args:
        size: Bytes; a multiple of 1 MiB, at least 4 MiB.
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
    # Bootable flag, three bytes of an obsolete address, type, address, first sector, sectors.
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", first, size // _SECTOR - first)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"
