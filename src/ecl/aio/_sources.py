"""Async sources of an upload: a task reads them into a bounded queue, the thread of the upload takes from it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel

from ecl import exceptions
from ecl._http import stop as _stop

if TYPE_CHECKING:
    from ecl.image._transfer.source import ImageData

__all__ = ["AsyncReader", "Feed", "adapted"]

T = TypeVar("T")

#: Blocks of the queue.
_DEPTH = 4
#: Bytes of a block of the queue at least: each costs a change of threads.
_MIN_BLOCK_BYTES = 64 << 10
#: Bytes to ask a file for.
_READ_BYTES = 1 << 20


class AsyncReader(Protocol):
    """An async file opened for reading in binary mode."""

    async def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes; none at the end."""


if TYPE_CHECKING:
    AsyncImageData = ImageData | AsyncIterable[bytes] | AsyncReader | anyio.AsyncFile[bytes]


class Feed:
    """The blocks of one async source, for the thread that sends them. They can be read once."""

    def __init__(self, source: AsyncIterable[bytes]) -> None:
        self._source = source
        self._token = anyio.lowlevel.current_token()
        self._put, self._take = anyio.create_memory_object_stream[bytes](_DEPTH)
        self._error: Exception | None = None

    async def pump(self) -> None:
        """Read the source to its end; what it raises is raised from :meth:`blocks`."""
        blocks = aiter(self._source)
        try:
            await self._read(blocks)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            # Nothing takes the blocks any more.
            pass
        except Exception as exc:  # noqa: BLE001 - blocks() raises it
            self._error = exc
        finally:
            self._put.close()
            close = getattr(blocks, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()

    async def _read(self, blocks: AsyncIterator[bytes]) -> None:
        joined = bytearray()
        async for block in blocks:
            if not isinstance(block, (bytes, bytearray, memoryview)):
                raise exceptions.InvalidRequest(f"the data yields {type(block).__name__}, not bytes")
            joined += block
            if len(joined) >= _MIN_BLOCK_BYTES:
                await self._put.send(bytes(joined))
                joined.clear()
        if joined:
            await self._put.send(bytes(joined))

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks, in a thread of a call."""
        stop = _stop.current()
        assert stop is not None
        # A stop comes from the event loop's thread, to which the queue belongs.
        with stop.calling(lambda _: self._put.close()):
            while True:
                try:
                    block = anyio.from_thread.run(self._take.receive, token=self._token)
                except anyio.EndOfStream:
                    break
                yield block
        stop.check()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Forget what was not taken."""
        self._put.close()
        self._take.close()


def adapted(value: T, feeds: list[Feed]) -> T | Iterator[bytes] | Any:
    """
    Return an argument of an upload as the SDK takes it.

    Args:
        feeds: Gets the feed of each async source.
    """
    if isinstance(value, anyio.AsyncFile):
        # The thread reads the file itself.
        return value.wrapped
    if inspect.iscoroutinefunction(getattr(value, "read", None)):
        return _feed(_blocks_of(value), feeds)
    if isinstance(value, AsyncIterable):
        return _feed(value, feeds)
    if isinstance(value, Mapping) and "data" in value:
        return {**value, "data": adapted(value["data"], feeds)}
    if isinstance(value, list | tuple):
        return [adapted(each, feeds) for each in value]
    return value


def _feed(source: AsyncIterable[bytes], feeds: list[Feed]) -> Iterator[bytes]:
    feed = Feed(source)
    feeds.append(feed)
    return feed.blocks()


async def _blocks_of(file: Any) -> AsyncIterator[bytes]:
    read: Callable[[int], Any] = file.read
    while block := await read(_READ_BYTES):
        yield block
