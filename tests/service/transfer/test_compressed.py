"""Compressed sources, decoded on the way in."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.transfer_driver import peak
from support.transfers import DATA, NewImage, left_threads

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

_MIB = 1 << 20
RAW = DATA[:_MIB] + bytes(_MIB) + b"end"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1),
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    # As the command zstd does, with a checksum.
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
KINDS = pytest.mark.parametrize("kind", COMPRESS)


def uploaded(proxy: Proxy, new_image: NewImage, source: object, **options: object) -> bytes:
    """Upload *source* decoded, and return what the service has then."""
    image = new_image(source, decompress=True, **options)
    data: bytes = proxy.download_image(image)
    return data


@KINDS
@pytest.mark.parametrize("times", [1, 3])
def test_decoded(direct: Proxy, new_image: NewImage, tmp_path: Path, kind: str, times: int) -> None:
    """A compressed file, or several in one, arrives decoded; its name says nothing."""
    path = tmp_path / "disk.raw"
    path.write_bytes(COMPRESS[kind](RAW) * times)

    is_right = uploaded(direct, new_image, path) == RAW * times
    assert is_right


@KINDS
def test_decoded_from_a_pipe(direct: Proxy, new_image: NewImage, kind: str) -> None:
    """A pipe is decoded too, though its first bytes come one by one."""
    reading, writing = os.pipe()
    packed = COMPRESS[kind](RAW)

    def give() -> None:
        with os.fdopen(writing, "wb", buffering=0) as file:
            for at in range(8):
                file.write(packed[at : at + 1])
            file.write(packed[8:])

    thread = threading.Thread(target=give)
    thread.start()
    with os.fdopen(reading, "rb", buffering=0) as file:
        is_right = uploaded(direct, new_image, file) == RAW
    thread.join()
    assert is_right


def test_not_asked_for(direct: Proxy, new_image: NewImage) -> None:
    """Without being asked to, nothing is decoded: it is refused, or, if forced, sent as it is."""
    packed = gzip.compress(RAW, 1)
    with pytest.raises(exceptions.InvalidRequest, match="is compressed with gzip: give decompress=True"):
        new_image(packed)

    assert direct.download_image(new_image(packed, force=True)) == packed


@pytest.mark.parametrize("data", [RAW, b"\x1f", b"\x1f\x8b\x07", b"BZ"])
def test_not_compressed(direct: Proxy, new_image: NewImage, data: bytes) -> None:
    """What is not compressed passes through as it is."""
    is_right = uploaded(direct, new_image, data) == data
    assert is_right


@KINDS
@pytest.mark.parametrize("once", [False, True])
def test_truncated(direct: Proxy, kind: str, once: bool) -> None:
    """A file that ends too early is an error that says so; no image stays."""
    packed = COMPRESS[kind](RAW)[:-5]

    with pytest.raises(exceptions.FileFailure, match=f"cut off.*{kind}"):
        direct.create_image(
            name="truncated", data=iter([packed]) if once else packed, disk_format="raw", decompress=True
        )

    assert list(direct.images(name="truncated")) == []
    assert left_threads() == []


@KINDS
def test_corrupt(direct: Proxy, kind: str) -> None:
    """A damaged file is an error that says so; no image stays."""
    packed = bytearray(COMPRESS[kind](RAW))
    packed[len(packed) // 2] ^= 0xFF

    with pytest.raises(exceptions.FileFailure, match=f"damaged: not valid {kind}"):
        direct.create_image(name="corrupt", data=bytes(packed), disk_format="raw", decompress=True, force=True)

    assert list(direct.images(name="corrupt")) == []


@KINDS
def test_bomb(direct: Proxy, kind: str) -> None:
    """A small file that expands to very much is refused at the limit, in bounded memory; no image stays."""
    bomb = COMPRESS[kind](bytes(64 * _MIB)) * 4
    # The peak begins anew at what is in use now: an earlier one of these tests would hide this one.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak()

    with pytest.raises(exceptions.InvalidRequest, match="max_expanded"):
        direct.create_image(
            name="bomb", data=io.BytesIO(bomb), disk_format="raw", decompress=True, max_expanded=20 * _MIB, force=True
        )

    assert peak() - before < 64 * _MIB
    assert list(direct.images(name="bomb")) == []


def test_limit_itself(direct: Proxy, new_image: NewImage) -> None:
    """The limit may be reached, not passed."""
    packed = gzip.compress(RAW, 1)

    is_right = uploaded(direct, new_image, packed, max_expanded=len(RAW)) == RAW
    assert is_right
    with pytest.raises(exceptions.InvalidRequest):
        uploaded(direct, new_image, packed, max_expanded=len(RAW) - 1)


def test_xz_that_wants_much_memory(direct: Proxy) -> None:
    """An xz file whose dictionary would take a gigabyte is refused."""
    greedy = lzma.compress(b"data", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}])
    # The size of the dictionary is one byte of the block's header, which has a checksum of its own.
    header = bytearray(greedy[12:24])
    header[4] = 36
    header[8:12] = zlib.crc32(bytes(header[:8])).to_bytes(4, "little")

    with pytest.raises(exceptions.FileFailure, match=r"[Mm]emory"):
        direct.create_image(
            name="greedy", data=greedy[:12] + bytes(header) + greedy[24:], disk_format="raw", decompress=True
        )


def test_detected_through_the_compression(
    direct: Proxy, new_image: NewImage, real_image: Callable[..., object]
) -> None:
    """The format is that of what comes out."""
    real = real_image("qcow2")
    packed = gzip.compress(real.path.read_bytes(), 1)  # type: ignore[attr-defined]

    image = direct.create_image(name="detected", data=packed, decompress=True)
    direct.delete_image(image)

    assert image.disk_format == "qcow2"
