"""The inspection of hostile headers: any bytes are accepted or refused, and nothing else happens."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecl.image.disk_format import inspect
from ecl.server.domain.inspection import Inspection
from ecl.server.errors import UnsupportedMedia
from support.images import RealImage
from support.unsafe_images import IMPOSSIBLE, SAFE

#: Bytes from the start in which the headers of every format lie.
_HEAD = 512 << 10
#: What a hostile field contains, of any length and byte order.
_EXTREMES = [
    struct.pack(order + kind, value)
    for kind, bits in (("B", 8), ("H", 16), ("I", 32), ("Q", 64))
    for order in "<>"
    for value in (0, 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1)
]
#: Beginnings of the formats that qemu-img does not make here.
_OTHERS = {
    "qcow": b"QFI\xfb\0\0\0\1".ljust(4096, b"\0"),
    "qed": b"QED\0".ljust(4096, b"\0"),
    "luks": b"LUKS\xba\xbe\0\1".ljust(4096, b"\0"),
    "luks2": b"LUKS\xba\xbe\0\2".ljust(4096, b"\0"),
    "ploop": b"WithoutFreSpacExt"[:16].ljust(4096, b"\0"),
    "gpt": SAFE["a partitioned disk"][1][:65536],
}
_DECLARED = ("qcow2", "vhd", "vhdx", "vmdk", "vdi", "iso", "raw", "ploop")
#: Offsets of the sizes and counts in the headers of qcow2, VHD, VDI, LUKS and ISO, and where VHDX has its table.
_SIZES = (20, 24, 32, 36, 40, 104, 0x170, 0x8000 + 80, 0x8000 + 128, 0x30008, 0x30020)
#: Any other place near those.
_FIELDS = st.one_of(
    st.integers(0, 1100),
    st.integers(0x8000, 0x8000 + 200),
    st.integers(0x30000, 0x30000 + 200),
    st.integers(0, _HEAD),
)
_CHANGE = st.one_of(
    st.tuples(st.sampled_from(_SIZES), st.sampled_from([b"\xff" * 8, b"\x80" + bytes(7), bytes(7) + b"\x80"])),
    st.tuples(_FIELDS, st.sampled_from(_EXTREMES) | st.binary(min_size=1, max_size=16)),
)


@cache
def _head(image: RealImage) -> bytes:
    with image.path.open("rb") as file:
        return file.read(_HEAD)


def _inspect(disk_format: str, content: bytes, block: int) -> int | None:
    inspection = Inspection(disk_format)
    for start in range(0, len(content), block):
        inspection.feed(content[start : start + block])
    return inspection.conclude()


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "raw", *_OTHERS])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(_CHANGE, max_size=4),
    length=st.sampled_from([_HEAD, _HEAD, _HEAD, 1024, 512, 64]) | st.integers(0, _HEAD),
    declared=st.sampled_from([None, None, None, *_DECLARED]),
    block=st.sampled_from([4096, 65536, 1 << 20]),
)
def test_any_header_is_accepted_or_refused(
    real_image: Callable[[str], RealImage],
    kind: str,
    changes: list[tuple[int, bytes]],
    length: int,
    declared: str | None,
    block: int,
) -> None:
    """Whatever is in a header, the result is a size that the database can hold, none, or UnsupportedMedia."""
    content = bytearray(_OTHERS[kind] if kind in _OTHERS else _head(real_image(kind)))
    for offset, value in changes:
        if offset + len(value) <= len(content):
            content[offset : offset + len(value)] = value
    del content[length:]
    with suppress(UnsupportedMedia):
        size = _inspect(declared or (kind if kind in _DECLARED else "raw"), bytes(content), block)
        assert size is None or 0 < size < 2**63


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_the_sdk_refuses_impossible_headers(what: str) -> None:
    """The SDK sees what is impossible before it sends anything."""
    _disk_format, content, word = IMPOSSIBLE[what]
    blocks = iter([content])
    assert word in (inspect(lambda _size: next(blocks, b"")).danger or "")
