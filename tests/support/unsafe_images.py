"""First bytes of images that no service should hand to a hypervisor, and of safe ones that differ by a little."""

from __future__ import annotations

import struct

__all__ = ["IMPOSSIBLE", "SAFE", "UNSAFE"]

_MIB = 1 << 20
_SECTOR = 512


def _qcow2(backing_file: int = 0, features: int = 0) -> bytes:
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, backing_file, 8, 16, 8 * _MIB, 0, 0, 0, 0, 0, 0, 0)
    return (head + struct.pack(">QQQII", features, 0, 0, 4, 104)).ljust(65536, b"\0")


def _qcow2_with(offset: int, field: str, value: int) -> bytes:
    """Return a qcow2 of 256 KiB in which one field of the header is *value*."""
    image = bytearray(_qcow2().ljust(256 << 10, b"\0"))
    struct.pack_into(field, image, offset, value)
    return bytes(image)


def _vmdk(kind: str = "monolithicSparse", extents: str = 'RW 16384 SPARSE "disk.vmdk"', more: str = "") -> bytes:
    text = f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="{kind}"\n{more}{extents}\n'
    head = struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", 1, 3, 16384, 128, 1, 20, 512, 0, 0, 128, 0, b"\n \r\n", 0)
    return (head.ljust(_SECTOR, b"\0") + text.encode()).ljust(65536, b"\0")


def _partitioned(*types: int) -> bytes:
    """Return a disk with a GUID partition table, and a partition of each type in the old table before it."""
    old = b"".join(bytes([0, 0, 2, 0, kind, 255, 255, 255, 1, 0, 0, 0, 255, 7, 0, 0]) for kind in types)
    return (bytes(446) + old.ljust(64, b"\0") + b"\x55\xaa" + b"EFI PART").ljust(_MIB, b"\0")


def _iso(first: bytes = b"") -> bytes:
    volume = b"\x01CD001\x01".ljust(80, b"\0") + struct.pack("<I", 100).ljust(48, b"\0") + struct.pack("<H", 2048)
    return (first[:1024].ljust(0x8000, b"\0") + volume).ljust(_MIB, b"\0")


#: By what is wrong with it: the format that it has, its bytes, and a word of the refusal.
UNSAFE: dict[str, tuple[str, bytes, str]] = {
    "a qcow2 with a backing file": ("qcow2", _qcow2(backing_file=512), "backing_file"),
    "a qcow2 with a data file": ("qcow2", _qcow2(features=1 << 2), "data_file"),
    "a qcow2 with an unknown feature": ("qcow2", _qcow2(features=1 << 5), "unknown_features"),
    "a vmdk of another file's extents": ("vmdk", _vmdk("monolithicFlat"), "descriptor"),
    "a vmdk of many files": ("vmdk", _vmdk("twoGbMaxExtentSparse"), "descriptor"),
    "a vmdk of a device": ("vmdk", _vmdk("fullDevice"), "descriptor"),
    "a vmdk that names a file of the host": ("vmdk", _vmdk(extents='RW 16384 FLAT "/etc/passwd" 0'), "descriptor"),
    "a vmdk with a second extent": ("vmdk", _vmdk(more='RW 16384 FLAT "/etc/shadow" 0\n'), "descriptor"),
    "two partition tables that differ": ("raw", _partitioned(0xEE, 0x0C), "mbr"),
    "a disk and a CD at once": ("raw", _iso(_partitioned(0xEE)), "Multiple formats"),
}
#: By what is impossible in its header: the format that it has, its bytes, and a word of the refusal.
IMPOSSIBLE: dict[str, tuple[str, bytes, str]] = {
    "a qcow2 of 2^64-1 bytes": ("qcow2", _qcow2_with(24, ">Q", 2**64 - 1), "virtual size"),
    "a qcow2 of 2^63 bytes": ("qcow2", _qcow2_with(24, ">Q", 2**63), "virtual size"),
    "a qcow2 with huge clusters": ("qcow2", _qcow2_with(20, ">I", 63), "cluster_bits"),
    "a qcow2 with tiny clusters": ("qcow2", _qcow2_with(20, ">I", 8), "cluster_bits"),
    "a qcow2 with a huge L1 table": ("qcow2", _qcow2_with(36, ">I", 0xFFFFFFFF), "L1 table"),
    "a qcow2 with an unknown encryption": ("qcow2", _qcow2_with(32, ">I", 3), "encryption method"),
    "a VHD of 0xff": ("vhd", b"conectix".ljust(256 << 10, b"\xff"), "virtual size"),
    "a VDI of 2^64-1 bytes": (
        "vdi",
        (bytes(64) + struct.pack("<I", 0xBEDA107F)).ljust(0x170, b"\0") + struct.pack("<Q", 2**64 - 1).ljust(65536),
        "virtual size",
    ),
}
#: By what is right with it: the format that it has, its bytes, and its virtual size; None: it is not known.
SAFE: dict[str, tuple[str, bytes, int | None]] = {
    "a qcow2": ("qcow2", _qcow2(), 8 * _MIB),
    "a qcow2 of 2^63-1 bytes": ("qcow2", _qcow2_with(24, ">Q", 2**63 - 1), 2**63 - 1),
    "a qcow2 with clusters of 2 MiB": ("qcow2", _qcow2_with(20, ">I", 21), 8 * _MIB),
    "a qcow2 with the largest L1 table": ("qcow2", _qcow2_with(36, ">I", 1 << 22), 8 * _MIB),
    "an encrypted qcow2": ("qcow2", _qcow2_with(32, ">I", 2), 8 * _MIB),
    "an encrypted disk": ("raw", b"LUKS\xba\xbe\0\1".ljust(65536, b"\0"), 65536),
    "a vmdk": ("vmdk", _vmdk(), 8 * _MIB),
    "a streamed vmdk": ("vmdk", _vmdk("streamOptimized"), 8 * _MIB),
    "a partitioned disk": ("raw", _partitioned(0xEE), _MIB),
    "a CD": ("iso", _iso(), 100 * 2048),
    "a CD that boots as a disk": ("iso", _iso(_partitioned(0xEE)), 100 * 2048),
}
