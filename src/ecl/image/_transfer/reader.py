"""The data of an image for readers who want it as they go: in chunks, or as a file that can be read at any offset."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ecl import exceptions
from ecl.image._transfer import verify
from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.digest import BLOCK
from ecl.image._transfer.download import algorithm_of, verified_blocks, with_data
from ecl.image._transfer.ports import RemoteImage
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.signature import Signature
from ecl.image._transfer.stream import Stream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["DataStream", "RangeReader"]


class DataStream:
    """
    The data of an image, in order, in chunks; close it if you do not read it to its end.

    It has the part of requests' Response that readers of a download use. Whatever goes wrong on the way is raised
    from the iteration: a connection that breaks is taken up again first, and where the data does not match the
    service's hash, DigestMismatch is raised before the last chunk is yielded.

    Attributes:
        headers: ``Content-Length`` and, where the service has it, ``Content-MD5``.
    """

    def __init__(
        self,
        remote: RemoteImage,
        chunk_size: int | None = None,
        progress: ProgressCallback | None = None,
        bandwidth: Bandwidth | None = None,
        signature: Signature | None = None,
    ) -> None:
        """
        Read the image's metadata; its data is asked for when the iteration begins.

        Args:
            chunk_size: Bytes of a chunk, but for the last; by default 1 MiB.

        Raises:
            InvalidRequest: The image has no data, or *chunk_size* is not a positive whole number.
        """
        self._chunk_size = _checked_size(chunk_size)
        image = with_data(remote)
        self.headers = {"Content-Length": str(image.size), "Content-Type": "application/octet-stream"}
        if image.checksum:
            self.headers["Content-MD5"] = image.checksum
        self._blocks = verified_blocks(remote, progress, bandwidth, signature)

    def iter_content(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """
        Yield the data, or what has not been read of it yet.

        Args:
            chunk_size: Bytes of a chunk, but for the last.

        Raises:
            DigestMismatch: The data does not match the service's hash; its last bytes have not been yielded.
            SignatureMismatch: A signature was to be verified, and is not of the data.
            ConnectFailure: The connection broke again and again.
        """
        size = self._chunk_size if chunk_size is None else _checked_size(chunk_size)
        return self._chunks(size)

    def _chunks(self, size: int) -> Iterator[bytes]:
        rest = bytearray()
        for block in self._blocks:
            rest += block
            while len(rest) >= size:
                yield bytes(rest[:size])
                del rest[:size]
        if rest:
            yield bytes(rest)

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content()

    @property
    def content(self) -> bytes:
        """All of the data that has not been read yet."""
        return b"".join(self._blocks)

    def close(self) -> None:
        """Let the connection go. Nothing can be read any more."""
        self._blocks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _checked_size(chunk_size: object) -> int:
    if chunk_size is None:
        return BLOCK
    if not isinstance(chunk_size, int) or isinstance(chunk_size, bool) or chunk_size < 1:
        raise exceptions.InvalidRequest(f"chunk_size must be a positive whole number of bytes, not {chunk_size!r}")
    return chunk_size


class RangeReader(io.RawIOBase):
    """
    The data of an image as a raw file: read-only and seekable. Not for several threads at once.

    After a jump it asks for a range of 1 MiB, and for all the rest when that has been read. Bytes that arrive in
    order, from the first one on, are hashed, also if there were jumps in between; when all have come so, they are
    compared with the service's hash before the last of them are handed out.
    """

    def __init__(self, remote: RemoteImage) -> None:
        """
        Read the image's metadata; no data is asked for yet.

        Raises:
            InvalidRequest: The image has no data.
        """
        super().__init__()
        self._at = 0
        # The bytes that came last, and where they are in the image.
        self._block = memoryview(b"")
        self._block_at = 0
        self._stream: Stream | None = None
        self._blocks: Generator[bytes, None, None] | None = None
        self._remote = remote
        self._image = with_data(remote)
        self._size = self._image.size or 0
        self._algorithm = algorithm_of(self._image)
        self._hash = hashlib.new(self._algorithm, usedforsecurity=False)
        self._hashed = 0
        self._verified = False
        #: The image's ID.
        self.name = str(self._image.id)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset, which may be beyond the end; nothing is sent. Raises ValueError for one below zero."""
        self._expect_open()
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        target = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if target < 0:
            raise ValueError(f"{target} is before the beginning of the image")
        self._at = target
        return target

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """
        Read at least one byte, if there is one more; return how many.

        Raises:
            DigestMismatch: All bytes have arrived, and do not match the service's hash.
            ConnectFailure: The connection broke again and again.
            HttpException: The service refused.
        """
        self._expect_open()
        target = memoryview(buffer).cast("B")
        if not target or self._at >= self._size:
            return 0
        if not 0 <= self._at - self._block_at < len(self._block):
            self._receive()
        found = self._block[self._at - self._block_at :][: len(target)]
        target[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        """Let the connection go."""
        self._end_stream()
        super().close()

    def _receive(self) -> None:
        """Let the block at the present offset come, and verify it if it completes the image."""
        following = self._stream is not None and self._stream.offset == self._at
        block = next(self._blocks, b"") if following and self._blocks is not None else b""
        if not block:
            self._end_stream()
            end = self._size if following else min(self._at + BLOCK, self._size)
            self._stream = Stream(self._remote, self._image, self._at, end)
            self._blocks = self._stream.blocks()
            block = next(self._blocks)
        self._hash_next(self._at, block)
        self._block, self._block_at = memoryview(block), self._at

    def _hash_next(self, start: int, block: bytes) -> None:
        if start <= self._hashed < start + len(block):
            self._hash.update(memoryview(block)[self._hashed - start :])
            self._hashed = start + len(block)
        if self._hashed == self._size and not self._verified:
            # Of an image that was found damaged, no later block is handed out, either.
            verify.verify(self._image, self._size, {self._algorithm: self._hash.hexdigest()})
            self._verified = True

    def _end_stream(self) -> None:
        blocks, self._stream, self._blocks = self._blocks, None, None
        if blocks is not None:
            blocks.close()

    def _expect_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
