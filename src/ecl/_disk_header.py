"""Headers of disk images that no program can use: checks that the format inspector does not make."""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["MAX_VIRTUAL_SIZE", "impossible_header"]

#: The largest disk: QEMU's limit, and that of the service's database.
MAX_VIRTUAL_SIZE = 2**63 - 1
# As qemu/block/qcow2.h has them: clusters of 512 bytes to 2 MiB, and an L1 table of at most 32 MiB.
_QCOW2_CLUSTER_BITS = range(9, 22)
_QCOW2_MAX_L1_ENTRIES = (32 << 20) // 8
#: Of the field crypt_method: none, AES, LUKS.
_QCOW2_ENCRYPTIONS = range(3)


def impossible_header(inspector: Any) -> str | None:
    """
    Return what is wrong with the header of an image, as a clause, or None.

    Args:
        inspector: The format inspector of oslo.utils that matched, after the header was read.
    """
    try:
        size = inspector.virtual_size
    except Exception:  # noqa: BLE001 - a header that is cut short; then the size is unknown
        size = 0
    if size > MAX_VIRTUAL_SIZE:
        return f"its virtual size is {size} bytes; the largest possible is {MAX_VIRTUAL_SIZE}"
    return _qcow2_fault(bytes(inspector.region("header").data)) if str(inspector) == "qcow2" else None


def _qcow2_fault(header: bytes) -> str | None:
    if len(header) < 40:
        return "its header is cut short"
    cluster_bits, _size, encryption, l1_entries = struct.unpack_from(">IQII", header, 20)
    if cluster_bits not in _QCOW2_CLUSTER_BITS:
        return f"its cluster_bits are {cluster_bits}; possible are 9 to 21"
    if encryption not in _QCOW2_ENCRYPTIONS:
        return f"its encryption method {encryption} does not exist"
    if l1_entries > _QCOW2_MAX_L1_ENTRIES:
        return f"its L1 table has {l1_entries} entries; the most possible are {_QCOW2_MAX_L1_ENTRIES}"
    return None
