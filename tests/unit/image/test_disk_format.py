"""What is in a file, told by its first bytes."""

from __future__ import annotations

import io
import logging
import random
import struct

import pytest

from ecl.image.disk_format import Inspection, inspect

MIB = 1 << 20


def qcow2(version=3, size=8 * MIB, backing=0, incompatible=0):
    """Return the header of a qcow2 image."""
    head = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", version, backing, 8 if backing else 0, 16, size, 0, 0, 0, 0, 0, 0, 0
    )
    return (head + struct.pack(">QQQII", incompatible, 0, 0, 4, 104)).ljust(65536, b"\0")


def vhd(size=8 * MIB):
    """Return a dynamic VHD's first bytes."""
    footer = struct.pack(">8sIIQI4sI4sQQ", b"conectix", 2, 0x10000, 512, 0, b"test", 0, b"Wi2k", size, size)
    return footer.ljust(512, b"\0") + b"cxsparse".ljust(1024, b"\0") + bytes(4096)


def vdi(size=8 * MIB):
    """Return a VDI's first bytes."""
    return (bytes(0x40) + struct.pack("<I", 0xBEDA107F)).ljust(0x170, b"\0") + struct.pack("<Q", size) + bytes(4096)


def iso(blocks=10):
    """Return a small ISO 9660 file system's first bytes."""
    volume = bytearray(2048)
    volume[:7] = b"\x01CD001\x01"
    volume[80:84] = struct.pack("<I", blocks)
    volume[128:130] = struct.pack("<H", 2048)
    return bytes(0x8000) + bytes(volume) + bytes(4 * 2048)


def mbr():
    """Return a disk with a partition table."""
    partition = bytes.fromhex("80000200830000000008000000380000")
    return bytes(446) + partition + bytes(48) + b"\x55\xaa" + bytes(4096)


def gpt():
    """Return a disk with a GUID partition table."""
    protective = bytes.fromhex("00000200eeffffff01000000ff3f0000")
    return bytes(446) + protective + bytes(48) + b"\x55\xaa" + b"EFI PART".ljust(512, b"\0") + bytes(4096)


def look(content, limit=None):
    """Look at *content*."""
    return inspect(io.BytesIO(content).read, limit)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "raw"),
        (b"x", "raw"),
        (random.Random(1).randbytes(100_000), "raw"),
        (bytes(MIB), "raw"),
        (mbr(), "raw"),
        (gpt(), "raw"),
        (b"LUKS\xba\xbe\x00\x01".ljust(4096, b"\0"), "raw"),
        (qcow2(), "qcow2"),
        (qcow2(version=2), "qcow2"),
        (vhd(), "vhd"),
        (vdi(), "vdi"),
        (iso(), "iso"),
        (mbr()[:512] + iso()[512:], "iso"),
    ],
    ids=[
        "empty",
        "byte",
        "noise",
        "zeros",
        "MBR",
        "GPT",
        "LUKS",
        "qcow2",
        "qcow2 v2",
        "vhd",
        "vdi",
        "iso",
        "hybrid iso",
    ],
)
def test_format(content, name):
    """Each format has the image API's name; partitioned and encrypted disks are raw ones."""
    assert look(content).disk_format == name


@pytest.mark.parametrize(("content", "size"), [(qcow2(), 8 * MIB), (vhd(), 8 * MIB), (vdi(), 8 * MIB), (mbr(), None)])
def test_virtual_size(content, size):
    """The size of the disk within is that of the header; a raw disk has none."""
    assert look(content).virtual_size == size


def test_safe_image():
    """Nothing is said against an image that stands alone."""
    assert look(qcow2()) == Inspection("qcow2", 8 * MIB, None)


@pytest.mark.parametrize(
    ("content", "words"), [(qcow2(backing=512), "backing_file"), (qcow2(incompatible=4), "data_file")]
)
def test_dangerous_image(content, words):
    """An image that would read other files of its host is dangerous, and why is said."""
    found = look(content)

    assert found.disk_format == "qcow2"
    assert words in found.danger


def test_several_formats_at_once():
    """What is two formats at once is dangerous: each tool would see another one."""
    both = qcow2()[:0x8000] + iso()[0x8000:]

    assert "several formats at once: iso, qcow2" in look(both).danger


@pytest.mark.parametrize("keep", [4, 8, 30, 72, 104, 511])
def test_cut_off(keep):
    """A header that is cut off is no accident of the inspector."""
    for content in (qcow2(backing=512), vhd(), vdi(), iso()):
        assert look(content[:keep]).disk_format in ("raw", "qcow2", "vhd", "vdi")


def test_limit():
    """No more is read than asked for."""
    read = []

    def counted(size):
        read.append(size)
        return bytes(size)

    inspect(counted, 10 * 65536)

    assert sum(read) <= 11 * 65536


def test_stops_when_sure():
    """No more is read than it takes to be sure."""
    source = io.BytesIO(qcow2() + bytes(8 * MIB))
    inspect(source.read)

    assert source.tell() < 8 * MIB


def test_says_nothing(caplog):
    """The inspector's own warnings do not reach the log of whoever asked."""
    with caplog.at_level(logging.INFO):
        look(qcow2(backing=512))

    assert caplog.text == ""


def test_others_are_still_told(caplog):
    """Who uses the inspector beside this library gets its warnings, at the level that the logger had."""
    from oslo_utils.imageutils import format_inspector

    look(qcow2(backing=512))

    logger = logging.getLogger(format_inspector.__name__)
    assert logger.level == logging.NOTSET
    with caplog.at_level(logging.WARNING):
        logger.warning("theirs")
    assert "theirs" in caplog.text
