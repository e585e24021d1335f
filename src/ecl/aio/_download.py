"""The data of an image: awaited as a whole, iterated over in blocks, or read at any offset."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import anyio

from ecl.aio._threads import in_thread, new_stop

__all__ = ["Download", "OpenImage"]

T = TypeVar("T")
R = TypeVar("R")


class Download(AsyncIterator[bytes], Generic[T]):
    """
    A download that has not begun.

    ``await`` it for its result, or iterate over it for the data in blocks, in constant memory. What goes wrong on the
    way is raised by the iteration, DigestMismatch before the last block. Leave the iteration early only within
    ``async with``, which closes the connection.
    """

    def __init__(
        self,
        whole: Callable[[], Awaitable[T]],
        stream: Callable[[], Any],
        limiter: anyio.CapacityLimiter,
        on_end: Callable[[], None],
    ) -> None:
        self._whole = whole
        self._open = stream
        self._limiter = limiter
        self._on_end = on_end
        self._stop = new_stop()
        self._stream: Any = None
        self._blocks: Any = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._whole().__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            block = await in_thread(self._next, self._limiter, self._stop)
        except BaseException:
            self._on_end()
            raise
        if not block:
            self._on_end()
            raise StopAsyncIteration
        return block

    def _next(self) -> bytes:
        if self._blocks is None:
            self._stream = self._open()
            self._blocks = iter(self._stream)
        block: bytes = next(self._blocks, b"")
        return block

    async def aclose(self) -> None:
        """Close the connection. Nothing can be read any more."""
        self._on_end()
        self._blocks = iter(())
        if self._stream is not None:
            with anyio.CancelScope(shield=True):
                await in_thread(self._stream.close, self._limiter)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()


class OpenImage:
    """
    The data of an image as a read-only, seekable file; see :meth:`ecl.image.v2._proxy.Proxy.open_image`.

    For one task at a time. A read that is cancelled ends the file.
    """

    def __init__(self, file: io.BufferedReader, limiter: anyio.CapacityLimiter) -> None:
        self._file = file
        self._limiter = limiter
        self._stop = new_stop()

    async def read(self, size: int = -1) -> bytes:
        """Return at most *size* bytes; all that are left if it is negative."""
        return await self._call(lambda: self._file.read(size))

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset; nothing is sent."""
        return await self._call(lambda: self._file.seek(offset, whence))

    async def tell(self) -> int:
        """Return the offset."""
        return await self._call(self._file.tell)

    async def aclose(self) -> None:
        """Close the connection."""
        with anyio.CancelScope(shield=True):
            await in_thread(self._file.close, self._limiter)

    async def _call(self, function: Callable[[], R]) -> R:
        return await in_thread(function, self._limiter, self._stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()
