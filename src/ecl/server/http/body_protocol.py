"""
Request bodies that are read from the socket straight into a handler's buffers: an extension of ASGI, for uvicorn.

ASGI passes a body on as bytes objects, and each byte is copied five times on its way into a block large enough to hash.
In ``scope["extensions"][EXTENSION]`` a handler finds a `DirectBody` that reads the rest of a body after its first bytes
came from ``receive``. Without one (another server, a chunked body), ``receive`` gives the whole body.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ecl.server.http.send_file import SEND_FILE, FileSender

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = [
    "EXTENSION",
    "DirectBody",
    "DirectBodyProtocol",
    "close_connection",
    "direct_body",
    "wait_until_writable",
]

#: Name of the ASGI extension.
EXTENSION = "ecl.direct_body"
#: Name of another one: the connection itself.
_CONNECTION = "ecl.connection"
#: Bytes per read while draining a request that was already answered.
_SCRATCH = 64 << 10


def direct_body(scope: Mapping[str, Any]) -> DirectBody | None:
    """Return the `DirectBody` of an ASGI *scope*, None if the server has none for it."""
    found: DirectBody | None = scope.get("extensions", {}).get(EXTENSION)
    return found


async def wait_until_writable(scope: Mapping[str, Any]) -> None:
    """Wait until the client of an ASGI *scope* has read most of what was sent to it, or is gone."""
    connection: DirectBodyProtocol | None = scope.get("extensions", {}).get(_CONNECTION)
    if connection is not None:
        await connection.flow.drain()


def close_connection(scope: Mapping[str, Any]) -> None:
    """Close the connection of an ASGI *scope*, after what was sent on it so far."""
    connection: DirectBodyProtocol | None = scope.get("extensions", {}).get(_CONNECTION)
    if connection is not None:
        connection.transport.close()


class DirectBodyProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1; a `DirectBody` may take over a body of known length."""

    #: That of the current request; None if its body can only come from ``receive``.
    _direct: DirectBody | None = None
    #: The answer that is sent from a file at the moment, and the bytes of all such answers.
    sending: FileSender | None = None
    file_bytes = 0
    #: True while the body of the current request is still to come.
    receives_body = False

    def on_headers_complete(self) -> None:
        """Add the extension to the scope, and start the request."""
        self.receives_body = True
        length = _length(self.headers)
        self._direct = DirectBody(self, length) if length and not self.parser.should_upgrade() else None
        # uvicorn's type knows extensions without attributes only.
        extensions: dict[str, Any] = {_CONNECTION: self}
        if self._direct is not None:
            extensions[EXTENSION] = self._direct
        sender = FileSender(self) if self.scheme == "http" else None
        if sender is not None:
            extensions[SEND_FILE] = sender
        self.scope["extensions"] = extensions
        super().on_headers_complete()
        for extension in (self._direct, sender):
            if extension is not None:
                extension.cycle = self.cycle

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the sender of a file."""
        super().connection_lost(exc)
        if self.sending is not None:
            self.sending.wake()

    def on_body(self, body: bytes) -> None:
        """Count the bytes that come through the parser, and pass them on."""
        if self._direct is not None:
            self._direct.parsed += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the whole body has come."""
        self.receives_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Drain what the client still sends of this request, then go on to the next."""
        if self._direct is not None:
            self._direct.abandon()
        super().on_response_complete()


class DirectBody(asyncio.BufferedProtocol):
    """
    The rest of one request's body.

    While it reads, it replaces the HTTP protocol at the socket. After the last byte the HTTP protocol is back, also if
    the response was sent before that.

    Attributes:
        received: Bytes of the body that did not come from ``receive``.
    """

    #: uvicorn's state of the request.
    cycle: RequestResponseCycle

    def __init__(self, http: DirectBodyProtocol, length: int) -> None:
        self._http = http
        self._length = length
        #: Bytes that came through the parser.
        self.parsed = 0
        self.received = 0
        self._taken_over = False
        # Bytes that the parser has read and `receive` has not returned.
        self._early = memoryview(b"")
        self._left = 0
        self._target = memoryview(b"")
        self._filled = 0
        self._ready = asyncio.Event()
        self._abandoned = False

    async def readinto(self, buffer: memoryview, idle: float) -> int:
        """
        Fill *buffer*; return the number of bytes, which is less than its length only at the end.

        Args:
            idle: Most seconds without a byte.

        Raises:
            TimeoutError: No byte came for *idle* seconds.
            ConnectionError: The client is gone.
        """
        if not self._taken_over:
            self._take_over()
        count = min(len(self._early), len(buffer))
        if count:
            buffer[:count], self._early = self._early[:count], self._early[count:]
            self.received += count
        self._target = buffer[count : count + self._left]
        self._filled = 0
        if self._target:
            await self._fill(idle)
        return count + self._filled

    async def _fill(self, idle: float) -> None:
        self._ready.clear()
        self._http.flow.resume_reading()
        while self._filled < len(self._target):
            if self.cycle.disconnected:
                raise ConnectionError("the client is gone")
            before = self._filled
            try:
                async with asyncio.timeout(idle):
                    await self._ready.wait()
            except TimeoutError:
                if self._filled == before:
                    raise

    def _take_over(self) -> None:
        self._taken_over = True
        self._early = memoryview(bytes(self.cycle.body))
        self.cycle.body = bytearray()
        self._left = self._length - self.parsed
        if self._left and not self.cycle.disconnected:
            self._switch(self)

    def _hand_back(self) -> None:
        # The connection may live long: let go of the handler's buffer, which is a block of the upload.
        self._target = memoryview(b"")
        # The old parser would wait for bytes that it never gets.
        self._http.parser = httptools.HttpRequestParser(self._http)
        self.cycle.more_body = False
        self._http.receives_body = False
        self._switch(self._http)
        self._http.flow.resume_reading()

    def _switch(self, protocol: asyncio.BaseProtocol) -> None:
        # A transport looks at the kind of its protocol when it starts to read.
        self._http.flow.pause_reading()
        self._http.transport.set_protocol(protocol)

    def abandon(self) -> None:
        """Drain the rest of the body. The keep-alive timeout ends the connection of a client that takes too long."""
        if self._left:
            self._abandoned = True
            self._target, self._filled = memoryview(bytearray(_SCRATCH)), 0

    # --- called by the transport --------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer has the size it has
        """Return the buffer for the next bytes."""
        return self._target[self._filled :][: self._left]

    def buffer_updated(self, nbytes: int) -> None:
        """Count *nbytes* that were read into the buffer."""
        self._left -= nbytes
        self.received += nbytes
        if not self._abandoned:
            self._filled += nbytes
        if not self._left:
            self._hand_back()
        elif self._filled == len(self._target):
            self._http.flow.pause_reading()
        else:
            return
        self._ready.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the HTTP protocol, and wake the reader."""
        self._http.connection_lost(exc)
        self._ready.set()

    def pause_writing(self) -> None:
        """Pass it on to the HTTP protocol."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on to the HTTP protocol."""
        self._http.resume_writing()


def _length(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return the Content-Length; 0 without one, or with Transfer-Encoding, which overrides it."""
    length = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return 0
        if name == b"content-length" and value.isdigit():
            length = int(value)
    return length
