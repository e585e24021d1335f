"""The data of an image over HTTP, resumed when a connection breaks."""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, overload

import requests

from ecl import exceptions
from ecl._http import retry
from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.digest import BLOCK, Block
from ecl.image._transfer.ports import Described, RemoteImage

__all__ = ["RangeRefused", "Stream"]

#: What a connection that breaks off in the middle of a body raises, from the socket up to requests.
_BROKEN = (requests.exceptions.RequestException, http.client.HTTPException, OSError)
#: Status codes of services that do not support ranges.
_NO_RANGES = frozenset({400, 416, 501})


class RangeRefused(exceptions.InvalidResponse):
    """The service was asked for a range and did not send it."""


class Stream:
    """
    A range of an image's bytes, in order, in blocks, over as many connections as necessary.

    Attributes:
        offset: Offset of the next byte.
        end: Offset after the last byte. It may be lowered while the stream is read.
    """

    def __init__(
        self,
        remote: RemoteImage,
        image: Described,
        start: int = 0,
        end: int | None = None,
        *,
        bandwidth: Bandwidth | None = None,
        exact: bool = False,
    ) -> None:
        """
        Describe the stream; nothing is sent.

        Args:
            end: None: to the end of the image.
            bandwidth: Limit of the speed.
            exact: Raise RangeRefused if the service does not send the requested range, instead of requesting all
                bytes and dropping the surplus.
        """
        self._remote = remote
        self._image = image
        self._bandwidth = bandwidth
        self._exact = exact
        self._response: requests.Response | None = None
        # Bytes at the beginning of the present answer that have been received already.
        self._surplus = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        # A second descriptor of the present answer's connection, for stop().
        self._connection: int | None = None
        self.offset = start
        self.end = end if end is not None else image.size

    def open(self) -> None:
        """
        Ask for the bytes; the first of them may be on its way then.

        Raises:
            RangeRefused: The service does not send ranges, and the stream must be exact.
            InvalidRequest: The image has no data.
            HttpException: The service refused.
        """
        if self._response is not None:
            return
        response, start = self._ask()
        if response.status_code == 204 and self._image.size != 0:
            response.close()
            raise exceptions.InvalidRequest(
                f"Image {self._image.id} has no data to download: its status is {self._image.status}"
            )
        self._surplus = self.offset - start
        self._response = response
        with self._lock:
            self._connection = _second_descriptor(response)
            if self._stopped.is_set():
                self._shut()

    @overload
    def blocks(self, buffers: None = None) -> Generator[bytes, None, None]: ...
    @overload
    def blocks(self, buffers: Iterator[memoryview]) -> Generator[Block, None, None]: ...
    def blocks(self, buffers: Iterator[memoryview] | None = None) -> Generator[Block, None, None]:
        """
        Yield the bytes, in blocks of at most BLOCK; fewer than there are if it is stopped.

        Args:
            buffers: Buffers to receive the blocks in, so that memory is reused; None: each block gets new memory.

        Raises:
            ConnectFailure: The connection broke again and again without a byte in between.
            HttpException: The service refused to go on.
        """
        failures = 0
        while not self._stopped.is_set():
            before = self.offset
            try:
                self.open()
                yield from self._of_answer(buffers)
                if self.end is None or self.offset >= self.end:
                    return
                broken: Exception = http.client.IncompleteRead(b"", self.end - self.offset)
            except _BROKEN as exc:
                broken = exc
            finally:
                self.close()
            if self._stopped.is_set():
                return
            failures = 1 if self.offset > before else failures + 1
            if failures >= retry.ATTEMPTS:
                raise exceptions.ConnectFailure(
                    f"The connection broke {failures} times at byte {self.offset} of image {self._image.id}: {broken}",
                    cause=broken,
                ) from broken
            retry.pause(failures, cancelled=self._stopped)

    def close(self) -> None:
        """Let the connection go: back to the pool if the answer was read to its end."""
        response, self._response = self._response, None
        with self._lock:
            if self._connection is not None:
                os.close(self._connection)
                self._connection = None
        if response is None:
            return
        with suppress(*_BROKEN):
            if _is_read(response):
                response.raw.release_conn()
            response.close()

    def stop(self) -> None:
        """
        End the stream, from any thread.

        The connection is shut, a pause before the next attempt ends, and no attempt follows. A request without an
        answer cannot be aborted: its answer is awaited, and dropped.
        """
        with self._lock:
            self._stopped.set()
            self._shut()

    def _shut(self) -> None:
        """Shut the present connection, so that its reader finds the end. The lock must be held."""
        if self._connection is None:
            return
        # A plain socket, whatever the reader has: shutdown() of one with TLS would make that take what is still
        # there for data. And shut, not closed: the reader closes it itself.
        with suppress(OSError):
            connection = socket.socket(fileno=self._connection)
            try:
                connection.shutdown(socket.SHUT_RDWR)
            finally:
                connection.detach()

    def _ask(self) -> tuple[requests.Response, int]:
        """Return an answer, and the byte at which it begins: the next one, or one before it."""
        last = self.end if self.end is not None and self.end != self._image.size else None
        if self.offset or last is not None:
            try:
                return self._ask_for(f"bytes={self.offset}-{'' if last is None else last - 1}")
            except RangeRefused:
                if self._exact:
                    raise
        return self._remote.open(None, self._stopped), 0

    def _ask_for(self, wanted: str) -> tuple[requests.Response, int]:
        """Ask for a range. Raises RangeRefused, also if all bytes come and the stream must be exact."""
        try:
            response = self._remote.open(wanted, self._stopped)
        except exceptions.HttpException as exc:
            if exc.http_status not in _NO_RANGES:
                raise
            raise RangeRefused(exc.response, f"{exc.url} does not send ranges: {exc.message}") from exc
        start = _start_of(response, self._image.size)
        if start is None or start > self.offset or (self._exact and start != self.offset):
            response.close()
            raise RangeRefused(response, f"{response.url} was asked for {wanted} and sent something else")
        return response, start

    def _of_answer(self, buffers: Iterator[memoryview] | None) -> Iterator[Block]:
        """Yield what the present answer has, up to the end."""
        assert self._response is not None
        most = BLOCK if self._bandwidth is None else self._bandwidth.piece
        for block in _body(self._response, buffers, most):
            fresh = block[self._surplus :]
            self._surplus -= len(block) - len(fresh)
            if self.end is not None:
                fresh = fresh[: max(0, self.end - self.offset)]
            if fresh:
                if self._bandwidth is not None:
                    self._bandwidth.take(len(fresh), self._stopped)
                self.offset += len(fresh)
                yield fresh
            if self._stopped.is_set() or (self.end is not None and self.offset >= self.end):
                return


def _body(response: requests.Response, buffers: Iterator[memoryview] | None, most: int) -> Iterator[Block]:
    """Yield the body of an answer in blocks of *most* bytes."""
    reader = _reader(response)
    if reader is None or response.headers.get("Content-Encoding"):
        yield from response.iter_content(most)
        return
    while block := _read(reader, next(buffers) if buffers is not None else None, most):
        yield block
    if reader.length:
        raise http.client.IncompleteRead(b"", reader.length)


def _read(reader: http.client.HTTPResponse, buffer: memoryview | None, most: int) -> Block:
    """Return a block; where the connection breaks, what came before. The next call meets the break again."""
    try:
        return reader.read(most) if buffer is None else buffer[: reader.readinto(buffer[:most])]
    except http.client.IncompleteRead as exc:
        if not exc.partial:
            raise
        return exc.partial


def _reader(response: requests.Response) -> http.client.HTTPResponse | None:
    """
    Return http.client's own reader, which fills a block straight from the socket.

    The layers above it hand on smaller blocks, and copy; they are needed only where the body is encoded.
    """
    reader: Any = getattr(response.raw, "_fp", None)
    return reader if isinstance(reader, http.client.HTTPResponse) else None


def _second_descriptor(response: requests.Response) -> int | None:
    """
    Return another descriptor of an answer's connection; None if all has come already.

    The first one belongs to the reader: when that closes it, its number may be reused for another file.
    """
    reader = _reader(response)
    if reader is None or reader.isclosed():
        return None
    with suppress(OSError):
        return os.dup(reader.fileno())
    return None


def _is_read(response: requests.Response) -> bool:
    """Tell whether a body was read to its end, so that the connection can be used again."""
    reader = _reader(response)
    return reader is not None and reader.isclosed()


def _start_of(response: requests.Response, size: int | None) -> int | None:
    """
    Return the offset at which an answer to a range begins; None if it cannot be known.

    Some services send all bytes, whatever range they are asked for, and some of them call that a part.
    """
    if response.status_code != 206:
        return 0
    length = response.headers.get("Content-Length")
    match = re.match(r"bytes (\d+)-(\d+)", response.headers.get("Content-Range", ""))
    if match is not None and length in (None, str(int(match[2]) - int(match[1]) + 1)):
        return int(match[1])
    return 0 if length == str(size) else None
