"""Start to bring written data to the disk before it is flushed, so that the flush is short. It takes no thread."""

from __future__ import annotations

import ctypes

__all__ = ["start_writeback"]

#: ``SYNC_FILE_RANGE_WRITE`` of Linux: start to write, and wait for nothing.
_WRITE = 2
# The standard library has no such function. Elsewhere than on Linux the flush brings everything to the disk.
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def start_writeback(descriptor: int, offset: int, count: int) -> None:
    """Start to write *count* bytes of a file from *offset* to the disk. An error of the disk is left to the fsync."""
    if _sync_file_range is not None:
        _sync_file_range(descriptor, offset, count, _WRITE)
