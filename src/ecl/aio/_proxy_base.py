"""How the methods of the async proxy run; and those that are not made from the SDK's."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar, overload

from ecl.aio._download import Download, OpenImage
from ecl.aio._listing import Listing
from ecl.aio._progress import Progress
from ecl.aio._sources import Feed, adapted
from ecl.aio._threads import Limits, in_thread

if TYPE_CHECKING:
    from ecl.image._transfer.bandwidth import Bandwidth
    from ecl.image._transfer.progress import ProgressCallback
    from ecl.image._transfer.signature import PemOrPath
    from ecl.image.v2._proxy import Proxy as SyncProxy
    from ecl.image.v2._proxy_base import ImageRef

__all__ = ["AsyncWriter", "ByteSink", "ProxyBase"]

T = TypeVar("T")


class AsyncWriter(Protocol):
    """An async file opened for writing in binary mode."""

    async def write(self, block: bytes, /) -> Any:
        """Write all of *block*."""


class ByteSink(Protocol):
    """An async stream, such as anyio's."""

    async def send(self, item: bytes, /) -> None:
        """Send all of *item*."""


Target = TypeVar("Target", str, Path, IO[bytes])
Sink = TypeVar("Sink", bound=AsyncWriter | ByteSink)


class ProxyBase:
    """An SDK's proxy, and the limits of its threads."""

    def __init__(self, sync: SyncProxy, limits: Limits) -> None:
        self._sync = sync
        self._limits = limits

    async def _run(self, method: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        return await in_thread(lambda: method(*args, **kwargs), self._limits.calls)

    async def _wait(self, method: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        return await in_thread(lambda: method(*args, **kwargs), self._limits.waits)

    async def _transfer(
        self, method: Callable[..., T], /, *args: Any, progress: ProgressCallback | None, **kwargs: Any
    ) -> T:
        feeds: list[Feed] = []
        args = tuple(adapted(arg, feeds) for arg in args)
        kwargs = {name: adapted(value, feeds) for name, value in kwargs.items()}
        pumps = [feed.pump for feed in feeds]
        try:
            return await in_thread(
                lambda: method(*args, progress=progress, **kwargs), self._limits.transfers, beside=pumps
            )
        finally:
            for feed in feeds:
                feed.close()
            _end(progress)

    def _listed(self, method: Callable[..., Iterator[T]], /, *args: Any, **kwargs: Any) -> Listing[T]:
        return Listing(lambda: method(*args, **kwargs), self._limits.calls)

    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> Download[bytes]: ...
    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: Target,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> Download[Target]: ...
    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: Sink,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> Download[Sink]: ...
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: Any = None,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> Download[Any]:
        """
        Download the data of an image, verified against the service's hash.

        ``await`` it, or iterate over it: ``async for block in conn.image.download_image(image)``. See
        :meth:`ecl.image.v2._proxy.Proxy.download_image`.

        Args:
            output: Path or binary file to write to; an async file or stream, which gets block after block; None returns
                the data.
            chunk_size: Bytes of a block, but for the last, of an iteration and of what an async output gets; by default
                1 MiB.
        """
        common: dict[str, Any] = {
            "progress": progress,
            "max_bandwidth": max_bandwidth,
            "verify_signature": verify_signature,
        }

        async def whole() -> Any:
            write = _writer(output)
            if write is None:
                return await self._transfer(
                    self._sync.download_image, image_id, output=output, connections=connections, **common
                )
            async with download:
                async for block in download:
                    await write(block)
            return output

        def stream() -> Any:
            return self._sync.download_image(image_id, stream=True, chunk_size=chunk_size, **common)

        download: Download[Any] = Download(whole, stream, self._limits.transfers, lambda: _end(progress))
        return download

    async def open_image(self, image: ImageRef) -> OpenImage:
        """
        Open the data of an image as a read-only, seekable file, for readers that need parts of it.

        See :meth:`ecl.image.v2._proxy.Proxy.open_image`.
        """
        file = await in_thread(lambda: self._sync.open_image(image), self._limits.transfers)
        return OpenImage(file, self._limits.transfers)


def _writer(output: Any) -> Callable[[bytes], Any] | None:
    """Return what sends a block to an async output; None if it is not one."""
    if isinstance(output, str | os.PathLike):
        return None
    for name in ("send", "write"):
        method: Callable[[bytes], Any] | None = getattr(output, name, None)
        if inspect.iscoroutinefunction(method):
            return method
    return None


def _end(progress: object) -> None:
    if isinstance(progress, Progress):
        progress.end()
