"""
An HTTP response of a server that nobody vouches for: a small reader in which every part has a bound.

The client of the standard library would read interim responses, one-byte chunks and trailers for as long as they come.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping

from ecl.server.settings.model import ImportSettings

__all__ = [
    "MAX_CHUNKS_PER_MIB",
    "MAX_CHUNK_LINE",
    "MAX_HEAD_BYTES",
    "MAX_INTERIM",
    "MAX_TRAILER_BYTES",
    "BadResponse",
    "Response",
    "TooSlow",
]

#: Most bytes of status lines and headers, those of interim responses included.
MAX_HEAD_BYTES = 64 << 10
#: Most interim (1xx) responses before the final one.
MAX_INTERIM = 10
#: Most chunks for each MiB of data, and in addition to that.
MAX_CHUNKS_PER_MIB = 4096
#: Most bytes of the line with the size of a chunk, and of all headers after the last chunk.
MAX_CHUNK_LINE = 256
MAX_TRAILER_BYTES = 8 << 10

_MIB = 1 << 20
#: Bytes that one call takes from the socket, and seconds after which a block is passed on although it is not full.
_RECEIVE = 64 << 10
_PASS_ON_AFTER = 1.0

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class BadResponse(Exception):
    """The response breaks the protocol or a bound; the message is a clause that says how."""


class TooSlow(Exception):
    """The time is over, or the data comes too slowly; the message is a sentence."""

    @classmethod
    def after(cls, settings: ImportSettings) -> TooSlow:
        """Return the error for a download that takes longer than its ``timeout``."""
        return cls(f"The download takes longer than {settings.timeout} seconds.")


class Response:
    """
    The final response on a connection, after its headers are read.

    Args:
        connection: Where the request was sent.
        deadline: The time (of `time.monotonic`) by which the last byte must be here.
        settings: For ``idle_timeout`` and ``min_rate``.

    Attributes:
        status: The status code.
        length: The declared number of bytes, None if the server declares none.

    Raises:
        BadResponse: It cannot be used, or it exceeds a bound.
        TooSlow: It comes too slowly.
        OSError: The connection failed.
    """

    def __init__(self, connection: socket.socket, deadline: float, settings: ImportSettings) -> None:
        self._connection = connection
        self._deadline = deadline
        self._settings = settings
        self._buffer = bytearray()
        #: Seconds of waiting for the server, and bytes of data, in the current period.
        self._waited = 0.0
        self._received = 0
        self.length: int | None = None
        self._is_chunked = False
        self.status, self._headers = self._read_head()

    @property
    def location(self) -> str:
        """The target of a redirect, or an empty text."""
        return ", ".join(self._headers.get("location", []))

    @property
    def content_range(self) -> str:
        """The part of the data that is sent (``bytes 5-9/10``), or an empty text."""
        return ", ".join(self._headers.get("content-range", []))

    def check_framing(self) -> None:
        """Find how long the body is. Raises BadResponse if the headers contradict each other, or it is compressed."""
        encodings = [value for value in self._headers.get("content-encoding", []) if value.lower() != "identity"]
        if encodings:
            raise BadResponse("it sends a compressed form of the data (Content-Encoding) that was not asked for")
        lengths, codings = self._headers.get("content-length", []), self._headers.get("transfer-encoding", [])
        if codings:
            if [coding.lower() for coding in codings] != ["chunked"]:
                raise BadResponse("its Transfer-Encoding is not chunked")
            if lengths:
                raise BadResponse("it declares a Content-Length and a Transfer-Encoding")
            self._is_chunked = True
        elif lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise BadResponse("its Content-Length is not one number")
            self.length = int(lengths[0])

    def blocks(self) -> Iterator[bytes]:
        """Yield the body in blocks of at most 1 MiB, after `check_framing`. Raises as the class does."""
        block = bytearray()
        since = time.monotonic()
        for part in self._chunks() if self._is_chunked else self._counted(self.length):
            block += part
            if len(block) >= _MIB or time.monotonic() - since > _PASS_ON_AFTER:
                yield bytes(block[:_MIB])
                del block[:_MIB]
                since = time.monotonic()
        if block:
            yield bytes(block)

    def _counted(self, length: int | None) -> Iterator[bytes]:
        """Yield the next *length* bytes of data; None: all, to the end of the connection."""
        left = length
        while left is None or left > 0:
            if not self._buffer and not self._receive():
                if left is None:
                    return
                raise BadResponse(f"it ended the data {left} bytes too early")
            part = bytes(self._buffer if left is None else self._buffer[:left])
            del self._buffer[: len(part)]
            self._received += len(part)
            if left is not None:
                left -= len(part)
            yield part

    def _chunks(self) -> Iterator[bytes]:
        chunks = done = 0
        while True:
            line = self._line(MAX_CHUNK_LINE, "the size of a chunk")
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                raise BadResponse("it sends a chunk without a size")
            size = int(match[1], 16)
            if size == 0:
                break
            chunks += 1
            if chunks > MAX_CHUNKS_PER_MIB * (1 + done // _MIB):
                raise BadResponse(f"it sends more than {MAX_CHUNKS_PER_MIB} chunks for a MiB of data")
            yield from self._counted(size)
            done += size
            if self._line(MAX_CHUNK_LINE, "the end of a chunk"):
                raise BadResponse("it sends a chunk that is longer than its size")
        left = MAX_TRAILER_BYTES
        while line := self._line(left, "the headers after the data"):
            left -= len(line) + 2

    def _read_head(self) -> tuple[int, Mapping[str, list[str]]]:
        left = MAX_HEAD_BYTES
        for _ in range(MAX_INTERIM + 1):
            line = self._line(left, "its headers")
            left -= len(line) + 2
            match = _STATUS_LINE.fullmatch(line)
            if match is None:
                raise BadResponse(f"its status line is {line[:80]!r}")
            headers: dict[str, list[str]] = {}
            while line := self._line(left, "its headers"):
                left -= len(line) + 2
                header = _HEADER.fullmatch(line)
                if header is None:
                    raise BadResponse("it sends a line that is not a header")
                values = headers.setdefault(header[1].decode("ascii").lower(), [])
                values.append(header[2].decode("latin-1").strip(" \t"))
            left -= 2
            status = int(match[1])
            if status >= 200 or status == 101:
                return status, headers
        raise BadResponse(f"it sends more than {MAX_INTERIM} interim responses")

    def _line(self, most: int, what: str) -> bytes:
        """Return the next line without its end; *what* it belongs to has room for *most* bytes."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and len(self._buffer) <= most:
            searched = len(self._buffer)
            if not self._receive():
                raise BadResponse("it closed the connection too early")
        if end < 0 or end > most:
            raise BadResponse(f"there is no end of {what} where it must be")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _receive(self) -> bool:
        """Add to the buffer what comes next; False at the end of the connection."""
        began = time.monotonic()
        left = self._deadline - began
        if left <= 0:
            raise TooSlow.after(self._settings)
        self._connection.settimeout(min(self._settings.idle_timeout, left))
        try:
            block = self._connection.recv(_RECEIVE)
        except TimeoutError:
            if time.monotonic() >= self._deadline:
                raise TooSlow.after(self._settings) from None
            raise
        self._buffer += block
        self._check_rate(time.monotonic() - began)
        return bool(block)

    def _check_rate(self, waited: float) -> None:
        """Count *waited* seconds. Time in which the service itself is busy does not count."""
        self._waited += waited
        if self._waited < self._settings.idle_timeout:
            return
        if self._received < self._settings.min_rate * self._waited:
            raise TooSlow(f"The server sends less than {self._settings.min_rate} bytes of data a second.")
        self._waited = 0.0
        self._received = 0
