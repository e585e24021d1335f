"""What a part file needs of its descriptor: bytes at an offset, and a lock. Also on systems that lack the calls."""

from __future__ import annotations

import os
import threading
from typing import Any

from ecl.image._transfer.digest import Block

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["SAFELY", "USED_BY_NAME", "lock", "read_at", "set_mode", "write_at"]

#: A symbolic link in the place of the file is refused: somebody else may have put it there.
SAFELY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
#: True if a file can be renamed and removed while it is open.
USED_BY_NAME = os.name != "nt"

# One position counts for all threads where none can be given with a call.
_position = threading.Lock()


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Read at most *length* bytes from *offset* on."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, length)


def write_at(descriptor: int, block: Block, offset: int) -> int:
    """Write *block*, or its beginning, at *offset*; return how many bytes were written."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, block, offset)
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, block)


def set_mode(descriptor: int, mode: int) -> None:
    """Set who may read and write the file, where the system has that. Raises OSError."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def lock(descriptor: int) -> None:
    """
    Lock the file until it is closed.

    Raises:
        BlockingIOError: Another process has locked it.
    """
    if fcntl is None:
        # Without locks two downloads to one path are not detected.
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        # A file system without locks.
        return
