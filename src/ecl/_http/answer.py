"""An answer of the standard library's HTTP client, within the bounds that hold for every answer."""

from __future__ import annotations

import http.client
import json
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from ecl import exceptions
from ecl._http import bounds

__all__ = ["ENCODINGS", "Answer"]

#: Encodings that are understood.
ENCODINGS = ("gzip", "deflate")
_BLOCK = 64 * 1024
#: For zlib: a header of gzip or zlib, whichever there is; and none.
_ANY_HEADER, _NO_HEADER = 47, -15
#: The low bits of the first byte of zlib's header.
_DEFLATED = 8


class Answer:
    """An answer that was read, of an error the beginning; it names things as requests does."""

    def __init__(self, url: str, connection: http.client.HTTPConnection, seconds: float) -> None:
        """
        Read the answer to the request that was sent over *connection*. The connection can be used again afterwards.

        Args:
            seconds: Time from the headers to the end.

        Raises:
            InvalidResponse: It is too long.
            ConnectFailure: It takes too long.
            TimeoutError: The service was silent for too long.
            OSError, HTTPException: The connection broke.
        """
        self._connection = connection
        self._is_whole = False
        self._response = connection.getresponse()
        self.url = url
        self.status_code = self._response.status
        self.reason = self._response.reason
        self.headers = self._response.headers
        # requests' own name of the body.
        self._content = b""
        if self.status_code >= 400:
            self._read_error(seconds)
        else:
            self._read(seconds)

    @property
    def content(self) -> bytes:
        """The body, decoded."""
        return self._content

    def json(self) -> Any:
        """Return the parsed body. Raises ValueError if it is not JSON."""
        return json.loads(self._content.decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the connection, unless all was read: then it serves the next request."""
        if not self._is_whole:
            self._connection.close()

    def _read(self, seconds: float) -> None:
        # Not a list of blocks: they may be of a byte each.
        body = bytearray()
        bounds.check_size(self, self._response.length or 0)
        for block in self._blocks(seconds):
            body += block
            bounds.check_size(self, len(body))
        self._content = bytes(body)

    def _read_error(self, seconds: float) -> None:
        """Read the beginning of an error: the status counts, even where its body does not end."""
        body = bytearray()
        try:
            for block in self._blocks(seconds):
                body += block
                if len(body) >= bounds.MOST_ERROR_BYTES:
                    self.close()
                    break
        except (exceptions.SDKException, OSError, http.client.HTTPException):
            self.close()
        self._content = bytes(body[: bounds.MOST_ERROR_BYTES])

    def _blocks(self, seconds: float) -> Iterator[bytes]:
        """Yield the body, decoded, as it comes."""
        end = time.monotonic() + seconds
        for block in _decoded(self._sent_blocks(), self._response.getheader("Content-Encoding")):
            yield block
            if time.monotonic() >= end:
                raise bounds.too_slow(self, seconds)
        # http.client says so itself only where all is read at once.
        self._response.close()
        self._is_whole = True

    def _sent_blocks(self) -> Iterator[bytes]:
        size = 0
        while block := self._response.read1(_BLOCK):
            size += len(block)
            yield block
        if self._response.length:
            raise http.client.IncompleteRead(bytes(size), self._response.length)


def _decoded(blocks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """Unpack a body, at most a block at a time. Raises HTTPException."""
    if encoding not in ENCODINGS:
        yield from blocks
        return
    unpacker: Any = None
    try:
        for block in blocks:
            if unpacker is None:
                # Some servers send deflate without the header of zlib.
                is_bare = encoding == "deflate" and block[0] & 0x0F != _DEFLATED
                unpacker = zlib.decompressobj(_NO_HEADER if is_bare else _ANY_HEADER)
            packed = block
            while packed:
                yield unpacker.decompress(packed, _BLOCK)
                packed = unpacker.unconsumed_tail
    except zlib.error as exc:
        raise http.client.HTTPException(f"the body is not {encoding}: {exc}") from exc
