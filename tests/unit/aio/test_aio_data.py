"""Data of images in async programs: async sources and sinks, progress, and what a cancelled transfer leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

import ecl.aio
from ecl import exceptions
from ecl.image import disk_format
from support.http_stub import Answer, HttpStub
from support.upload_stub import DATA, IMAGE, described, script_upload, sent

pytestmark = pytest.mark.anyio

#: As much as is read of a source before there is an image.
HEAD = bytes(disk_format.PEEK)


async def in_pieces(data: bytes = DATA, size: int = 100_000) -> AsyncIterator[bytes]:
    """Yield *data* in pieces."""
    for start in range(0, len(data), size):
        await anyio.lowlevel.checkpoint()
        yield data[start : start + size]


def script_create(stub: HttpStub, *answers: Any) -> None:
    """Script an image that is created, gets its data, and can be deleted."""
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    script_upload(stub, *answers, images=[described()])
    stub.on("DELETE", "/v2/images/abc", Answer(204))


def script_download(stub: HttpStub, data: bytes = DATA) -> None:
    """Script an image whose data is *data*, though its hash is that of DATA."""
    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", Answer.data(data))


class AsyncFile:
    """An async file as other libraries have them."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    async def read(self, size: int) -> bytes:
        """Return the next bytes."""
        await anyio.lowlevel.checkpoint()
        block, self.data = self.data[:size], self.data[size:]
        return block

    async def write(self, block: bytes) -> int:
        """Append *block*."""
        await anyio.lowlevel.checkpoint()
        self.data += block
        return len(block)


# --- sources --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1_000, 100_000, len(DATA)])
async def test_an_async_iterable(opener: Any, stub: HttpStub, size: int) -> None:
    """The blocks of an async iterable are sent in order, small ones joined."""
    script_create(stub)

    async with opener() as conn:
        image = await conn.image.create_image(name="disk", disk_format="raw", data=in_pieces(size=size))

    assert image.status == "active"
    assert sent(stub)[0].body == DATA


async def test_an_async_file(opener: Any, stub: HttpStub) -> None:
    """An async file of any library is read to its end."""
    script_upload(stub)

    async with opener() as conn:
        await conn.image.upload_image("abc", AsyncFile(DATA), size=len(DATA))

    assert sent(stub)[0].body == DATA
    assert sent(stub)[0].headers["content-length"] == str(len(DATA))


async def test_a_file_of_anyio(opener: Any, stub: HttpStub, tmp_path: Path) -> None:
    """A file of anyio can be sent again when the connection breaks, as any file."""
    (tmp_path / "disk").write_bytes(DATA)
    script_upload(stub, Answer.drop(reads=1000), Answer(204), images=[IMAGE, IMAGE, described()])

    async with opener() as conn, await anyio.open_file(tmp_path / "disk", "rb") as file:
        await conn.image.upload_image("abc", file)

    assert sent(stub)[-1].body == DATA


async def test_a_path(opener: Any, stub: HttpStub, tmp_path: Path) -> None:
    """What is no async source goes to the SDK as it is."""
    (tmp_path / "disk").write_bytes(DATA)
    script_upload(stub)

    async with opener() as conn:
        await conn.image.upload_image("abc", tmp_path / "disk")

    assert sent(stub)[0].body == DATA


async def test_many_async_sources(opener: Any, stub: HttpStub) -> None:
    """upload_images() takes async sources, too."""
    script_create(stub)

    async with opener() as conn:
        images = await conn.image.upload_images(
            [{"name": name, "disk_format": "raw", "data": in_pieces()} for name in ("one", "two")]
        )

    assert [image.status for image in images] == ["active", "active"]
    assert [request.body for request in sent(stub)] == [DATA, DATA]


async def test_a_source_that_fails(opener: Any, stub: HttpStub) -> None:
    """What the source raises is raised by the call, and no image is left."""
    script_create(stub)

    async def broken() -> AsyncIterator[bytes]:
        yield HEAD
        raise LookupError("the camera is off")

    async with opener() as conn:
        with pytest.raises(LookupError, match="the camera is off"):
            await conn.image.create_image(name="disk", disk_format="raw", data=broken())

    assert stub.last.method == "DELETE"


async def test_a_source_of_something_else(opener: Any, stub: HttpStub) -> None:
    """A source that yields text is refused in one sentence."""
    script_create(stub)

    async def text() -> AsyncIterator[Any]:
        yield "text"

    async with opener() as conn:
        with pytest.raises(exceptions.InvalidRequest, match="the data yields str, not bytes"):
            await conn.image.create_image(name="disk", disk_format="raw", data=text())


async def test_a_service_that_refuses(opener: Any, stub: HttpStub) -> None:
    """A source that nothing takes any more is closed, however much it has."""
    closed = anyio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            closed.set()

    stub.on("GET", "/v2/images/abc", Answer.json({**IMAGE, "status": "active"}))
    async with opener() as conn:
        with pytest.raises(exceptions.ConflictException):
            await conn.image.upload_image("abc", endless())

    assert closed.is_set()


async def test_cancelling_while_the_source_waits(opener: Any, stub: HttpStub) -> None:
    """An upload whose source has nothing to give ends; the source is closed and the image deleted."""
    waiting, closed = anyio.Event(), anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        try:
            yield HEAD
            waiting.set()
            await anyio.sleep_forever()
        finally:
            closed.set()

    script_create(stub)
    async with opener() as conn, anyio.create_task_group() as group:
        group.start_soon(lambda: conn.image.create_image(name="disk", disk_format="raw", data=slow()))
        await waiting.wait()
        group.cancel_scope.cancel()

    assert closed.is_set()
    methods = [request.method for request in stub.requests]
    assert methods.count("DELETE") == methods.count("POST")


async def test_cancelling_an_upload(opener: Any, stub: HttpStub, silence: Any) -> None:
    """create_image() that is cancelled leaves no image: it is deleted before the task ends."""
    script_create(stub, silence)

    async with opener() as conn, anyio.create_task_group() as group:
        group.start_soon(lambda: conn.image.create_image(name="disk", disk_format="raw", data=DATA))
        await silence.reached()
        group.cancel_scope.cancel()

    assert stub.last.line == "DELETE /v2/images/abc"


# --- downloads ------------------------------------------------------------------------------------------------


async def test_awaiting_a_download(opener: Any, stub: HttpStub, tmp_path: Path) -> None:
    """An awaited download returns the data, or writes it to a path."""
    script_download(stub)

    async with opener() as conn:
        assert await conn.image.download_image("abc") == DATA
        assert await conn.image.download_image("abc", output=tmp_path / "disk") == tmp_path / "disk"

    assert (tmp_path / "disk").read_bytes() == DATA


async def test_iterating_over_a_download(opener: Any, stub: HttpStub) -> None:
    """A download is an async iterator over the data, in blocks of the size asked for."""
    script_download(stub)

    async with opener() as conn:
        blocks = [block async for block in conn.image.download_image("abc", chunk_size=1 << 20)]

    assert b"".join(blocks) == DATA
    assert [len(block) for block in blocks[:-1]] == [1 << 20] * (len(DATA) >> 20)


async def test_a_damaged_download(opener: Any, stub: HttpStub) -> None:
    """DigestMismatch comes before the last block, so that nobody has a whole damaged image."""
    script_download(stub, DATA[:-1] + b"!")
    got = b""

    async with opener() as conn:
        with pytest.raises(exceptions.DigestMismatch):  # noqa: PT012 - the loop raises it
            async for block in conn.image.download_image("abc"):
                got += block

    assert len(got) < len(DATA)


@pytest.mark.parametrize("closing", [True, False])
async def test_leaving_a_download(opener: Any, stub: HttpStub, closing: bool) -> None:
    """A download that is left early can be closed; nothing comes after that."""
    script_download(stub)

    async with opener() as conn, conn.image.download_image("abc", chunk_size=1000) as blocks:
        assert await anext(blocks) == DATA[:1000]
        if closing:
            await blocks.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(blocks)


async def test_an_async_file_as_output(opener: Any, stub: HttpStub, tmp_path: Path) -> None:
    """An async file gets block after block, anyio's and any other."""
    script_download(stub)
    other = AsyncFile()

    async with opener() as conn:
        async with await anyio.open_file(tmp_path / "disk", "wb") as file:
            assert await conn.image.download_image("abc", output=file) is file
        assert await conn.image.download_image("abc", output=other) is other

    assert (tmp_path / "disk").read_bytes() == other.data == DATA


async def test_an_async_stream_as_output(opener: Any, stub: HttpStub) -> None:
    """An async stream gets block after block, as fast as it takes them."""
    script_download(stub)
    put, take = anyio.create_memory_object_stream[bytes](0)
    got = []

    async def reader() -> None:
        async for block in take:
            got.append(block)

    async with opener() as conn, take, anyio.create_task_group() as group:
        group.start_soon(reader)
        async with put:
            await conn.image.download_image("abc", output=put)

    assert b"".join(got) == DATA


@pytest.mark.parametrize("way", ["await", "path", "iterate"])
async def test_cancelling_a_download(opener: Any, stub: HttpStub, silence: Any, tmp_path: Path, way: str) -> None:
    """A download ends though the service says nothing; no file gets the name."""
    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", silence)

    async with opener() as conn, anyio.create_task_group() as group:

        async def download() -> None:
            if way == "iterate":
                async for _ in conn.image.download_image("abc"):
                    pytest.fail("there is no data")
            else:
                await conn.image.download_image("abc", output=tmp_path / "disk" if way == "path" else None)

        group.start_soon(download)
        await silence.reached()
        group.cancel_scope.cancel()

    assert not (tmp_path / "disk").exists()


async def test_reading_parts(opener: Any, stub: HttpStub) -> None:
    """open_image() returns a file that reads at any offset."""
    script_download(stub)

    async with opener() as conn, await conn.image.open_image("abc") as file:
        assert await file.seek(1000) == 1000
        assert await file.read(100) == DATA[1000:1100]
        assert await file.tell() == 1100


# --- progress -------------------------------------------------------------------------------------------------


async def test_progress(opener: Any, stub: HttpStub) -> None:
    """Progress is an async iterator: its last values are those of the whole, and it ends with the call."""
    script_upload(stub)
    progress = ecl.aio.Progress()
    seen = []

    async def watch() -> None:
        async for each in progress:
            seen.append(each)

    async with opener() as conn, anyio.create_task_group() as group:
        group.start_soon(watch)
        await conn.image.upload_image("abc", DATA, progress=progress)

    assert seen[-1] == (len(DATA), len(DATA))
    assert seen == sorted(seen)


@pytest.mark.parametrize("way", ["fail", "iterate"])
async def test_progress_ends(opener: Any, stub: HttpStub, way: str) -> None:
    """The iterator ends with a call that fails, and with a download that is iterated over."""
    script_download(stub)
    progress = ecl.aio.Progress()

    async with opener() as conn:
        if way == "fail":
            stub.on("GET", "/v2/images/abc", Answer.json({}, 404))
            with pytest.raises(exceptions.ResourceNotFound):
                await conn.image.upload_image("abc", DATA, progress=progress)
        else:
            async for _ in conn.image.download_image("abc", progress=progress):
                pass
        seen = [each async for each in progress]

    assert seen == ([] if way == "fail" else [(len(DATA), len(DATA))])


@pytest.mark.parametrize("way", ["iterate", "open"])
async def test_going_on_after_cancelling(opener: Any, stub: HttpStub, silence: Any, way: str) -> None:
    """A download whose block was cancelled cannot go on, and says so."""
    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", silence)

    async with opener() as conn:
        download = conn.image.download_image("abc") if way == "iterate" else await conn.image.open_image("abc")
        following = download.__anext__ if way == "iterate" else download.read
        async with anyio.create_task_group() as group:
            group.start_soon(following)
            await silence.reached()
            group.cancel_scope.cancel()

        with pytest.raises(exceptions.InvalidRequest, match="was cancelled before; begin a new one"):
            await following()
        await download.aclose()
