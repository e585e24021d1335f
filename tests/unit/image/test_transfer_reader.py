"""The data of an image read as one goes: in chunks, and as a file at any offset."""

from __future__ import annotations

import hashlib
import io
import os
import re

import pytest

from ecl import exceptions
from support.http_stub import Answer

MIB = 1 << 20
DATA = bytes(range(1, 252)) * 14_000
FILE = "/v2/images/abc/file"


def described(data=DATA, **more):
    """Return an active image with *data*."""
    return {
        "id": "abc",
        "status": "active",
        "size": len(data),
        "checksum": hashlib.md5(data).hexdigest(),
        "os_hash_algo": "sha512",
        "os_hash_value": hashlib.sha512(data).hexdigest(),
        **more,
    }


def ranges(request):
    """Answer a range of the data, as it was asked for."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None:
        return Answer.data(DATA)
    start, end = int(wanted[1]), int(wanted[2] or len(DATA) - 1)
    return Answer.data(DATA[start : end + 1], 206, headers={"Content-Range": f"bytes {start}-{end}/{len(DATA)}"})


@pytest.fixture
def service(stub):
    """A function that scripts the image and the answers to requests for its data."""

    def script(*answers, **more):
        stub.on("GET", "/v2/images/abc", Answer.json(described(**more)))
        stub.on("GET", FILE, *(answers or (ranges,)))

    return script


def asked(stub):
    """Return the ranges that were asked for; None stands for all bytes."""
    return [request.headers.get("range") for request in stub.requests if request.path == FILE]


# --- a stream ---------------------------------------------------------------------------------------------


def test_stream(proxy, stub, service, tmp_path):
    """The stream has what openstacksdk's users read of it: headers, and chunks of the wanted size."""
    service()
    path = tmp_path / "disk"
    with proxy.download_image("abc", stream=True) as stream, path.open("wb") as file:
        assert asked(stub) == []
        sizes = [file.write(chunk) for chunk in stream.iter_content(chunk_size=300_000)]

    assert path.read_bytes() == DATA
    assert sizes == [300_000] * (len(DATA) // 300_000) + [len(DATA) % 300_000]
    assert stream.headers["Content-MD5"] == hashlib.md5(DATA).hexdigest()
    assert stream.headers["Content-Length"] == str(len(DATA))
    assert asked(stub) == [None]


def test_stream_by_default(proxy, service):
    """Chunks have the size that download_image() was given, or 1 MiB; *content* is the rest."""
    service()

    assert [len(chunk) for chunk in proxy.download_image("abc", stream=True)][:-1] == [MIB] * (len(DATA) // MIB)
    assert len(next(iter(proxy.download_image("abc", stream=True, chunk_size=10)))) == 10
    assert proxy.download_image("abc", stream=True).content == DATA


def test_stream_says_how_far(proxy, service):
    """*progress* is called for a stream, too."""
    service()
    said = []

    list(proxy.download_image("abc", stream=True, progress=lambda done, total: said.append((done, total))))

    assert said[-1] == (len(DATA), len(DATA))


def test_output_counts_over_stream(proxy, service, tmp_path):
    """Where *output* is given, the data goes there, as with openstacksdk."""
    service()
    path = tmp_path / "disk"

    assert proxy.download_image("abc", output=path, stream=True) is path
    assert path.read_bytes() == DATA


def test_damaged_stream(proxy, service):
    """A damaged image raises before its last chunk: nobody has all of its bytes."""
    service(os_hash_value="0" * 128)
    got = bytearray()

    def read():
        for chunk in proxy.download_image("abc", stream=True):
            got.extend(chunk)

    with pytest.raises(exceptions.DigestMismatch):
        read()
    assert 0 < len(got) < len(DATA)


def test_broken_stream(proxy, stub, service, pauses):
    """A stream whose connection breaks goes on where it broke."""
    service(Answer.data(DATA, cut=2 * MIB), ranges)

    assert b"".join(proxy.download_image("abc", stream=True)) == DATA
    assert len(asked(stub)) == 2


def test_closed_stream(proxy, service):
    """A closed stream yields nothing more."""
    service()
    stream = proxy.download_image("abc", stream=True)
    next(iter(stream))
    stream.close()

    assert list(stream) == []


@pytest.mark.parametrize("call", ["stream", "open"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(404), exceptions.ResourceNotFound),
        (Answer.json({"id": "abc", "status": "queued", "size": None}), exceptions.InvalidRequest),
    ],
)
def test_nothing_to_read(call, answer, error, proxy, stub):
    """An image that is not there, or has no data, is an error at once."""
    stub.on("GET", "/v2/images/abc", answer)
    with pytest.raises(error, match="abc"):
        proxy.open_image("abc") if call == "open" else proxy.download_image("abc", stream=True)
    assert asked(stub) == []


@pytest.mark.parametrize("size", [0, -1, 1.5, "1", True])
def test_chunk_size(size, proxy, service):
    """A chunk has a positive whole number of bytes."""
    service()
    with pytest.raises(exceptions.InvalidRequest, match="chunk_size must be a positive"):
        proxy.download_image("abc", stream=True, chunk_size=size)
    with pytest.raises(exceptions.InvalidRequest, match="chunk_size must be a positive"):
        proxy.download_image("abc", stream=True).iter_content(size)


# --- a file -----------------------------------------------------------------------------------------------


def test_read_all(proxy, stub, service, tmp_path):
    """Reading to the end takes two requests: a first part, and the rest."""
    service()
    with proxy.open_image("abc") as file:
        assert file.read() == DATA
        assert file.read() == b""

    assert asked(stub) == [f"bytes=0-{MIB - 1}", f"bytes={MIB}-"]
    assert file.closed


def test_seek_and_read(proxy, stub, service):
    """A jump asks for a part; what has just been read is not asked for again."""
    service()
    size = len(DATA)
    with proxy.open_image("abc") as file:
        assert file.read(4) == DATA[:4]
        assert file.seek(2 * MIB) == file.tell() == 2 * MIB
        assert file.read(10) == DATA[2 * MIB : 2 * MIB + 10]
        assert file.seek(5, os.SEEK_CUR) == 2 * MIB + 15
        assert file.read(10) == DATA[2 * MIB + 15 : 2 * MIB + 25]
        assert file.seek(-10, os.SEEK_END) == size - 10
        assert file.read(20) == DATA[-10:]
        assert file.seek(5, os.SEEK_END) == size + 5
        assert file.read(1) == b""
        buffer = bytearray(6)
        file.seek(1)
        assert file.readinto(buffer) == 6
        assert buffer == DATA[1:7]

    assert asked(stub) == [
        f"bytes=0-{MIB - 1}", f"bytes={2 * MIB}-{3 * MIB - 1}", f"bytes={size - 10}-", f"bytes=1-{MIB}",
    ]  # fmt: skip


def test_every_offset(proxy, service):
    """Reads of any length at any offset are those of a local file."""
    service()
    local = io.BytesIO(DATA)
    with proxy.open_image("abc") as file:
        for offset, length in ((0, 1), (MIB - 1, 2), (MIB, MIB), (3, 2 * MIB), (len(DATA) - 1, 9), (7, 0), (MIB, 3)):
            file.seek(offset)
            local.seek(offset)
            assert file.read(length) == local.read(length)


def test_bad_seeks(proxy, service):
    """An offset below zero, a strange whence, and a closed file are ValueErrors; it cannot be written."""
    service()
    file = proxy.open_image("abc")
    with pytest.raises(ValueError, match="before the beginning"):
        file.seek(-1, os.SEEK_CUR)
    with pytest.raises(ValueError, match="whence"):
        file.seek(0, 5)
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    assert (file.readable(), file.seekable(), file.writable(), file.name) == (True, True, False, "abc")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
    with pytest.raises(ValueError, match="closed"):
        file.raw.seek(0)


def test_empty_image(proxy, stub):
    """An image of no bytes is at its end, without a request for data."""
    stub.on("GET", "/v2/images/abc", Answer.json(described(b"")))
    with proxy.open_image("abc") as file:
        assert file.read() == b""


@pytest.mark.parametrize("jumps", [False, True])
def test_damaged_file(jumps, proxy, service):
    """When all bytes have come in order, a damaged image raises before its last block, with jumps in between or not."""
    service(os_hash_value="0" * 128)
    got = bytearray()

    def read(file):
        for offset in range(0, len(DATA), MIB):
            if jumps:
                file.seek(100)
                file.read(1)
            file.seek(offset)
            got.extend(file.read(MIB))

    with proxy.open_image("abc") as file:
        with pytest.raises(exceptions.DigestMismatch):
            read(file)
        assert 0 < len(got) < len(DATA)
        file.seek(0)
        with pytest.raises(exceptions.DigestMismatch):
            file.read(1)


def test_a_part_is_not_verified(proxy, service):
    """A part that is read alone is handed out, though the whole is damaged: there is no hash of it."""
    service(os_hash_value="0" * 128)
    with proxy.open_image("abc") as file:
        file.seek(MIB)

        assert file.read(5) == DATA[MIB : MIB + 5]


def test_image_without_hash(proxy, service, caplog):
    """An image that has no hash at the service can be read; that it was not compared is logged once."""
    service(os_hash_algo=None, os_hash_value=None, checksum=None)
    with proxy.open_image("abc") as file:
        for _ in range(2):
            file.seek(0)
            assert file.read() == DATA

    assert [record.message for record in caplog.records if "no hash" in record.message] == [
        "image abc has no hash at the service; only its size could be compared"
    ]


def test_file_without_ranges(proxy, service):
    """A service that sends all bytes, whatever range it is asked for, is read all the same."""
    service(Answer.data(DATA))
    with proxy.open_image("abc") as file:
        file.seek(2 * MIB)
        assert file.read(10) == DATA[2 * MIB : 2 * MIB + 10]


def test_broken_file(proxy, stub, service, pauses):
    """A range whose connection breaks is asked for again from where it broke."""
    first = Answer.data(DATA[:MIB], 206, headers={"Content-Range": f"bytes 0-{MIB - 1}/{len(DATA)}"}, cut=1000)
    service(first, ranges)
    with proxy.open_image("abc") as file:
        assert file.read(2000) == DATA[:2000]

    assert asked(stub) == [f"bytes=0-{MIB - 1}", f"bytes=1000-{MIB - 1}"]


def test_refused_range(proxy, service):
    """An image that was deleted meanwhile is an error of the read."""
    service(Answer(404))
    with proxy.open_image("abc") as file, pytest.raises(exceptions.NotFoundException):
        file.read(1)
