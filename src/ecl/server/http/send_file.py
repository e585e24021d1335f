"""
Answers whose bytes the kernel copies from a file to the socket (sendfile): an extension of ASGI, for plain HTTP.

The process neither reads nor holds the bytes, and a client that does not read costs no thread. In
``scope["extensions"][SEND_FILE]`` a handler finds a `FileSender`; there is none under TLS, where the process encrypts.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["SEND_FILE", "FileSender", "file_sender"]

#: Name of the ASGI extension.
SEND_FILE = "ecl.send_file"
#: Most bytes per call: other requests wait while the event loop makes one.
_PIECE = 1 << 20
#: Bytes between the places of a piece that are looked up in the page cache: what Linux reads ahead.
_LOOK_EVERY = 128 << 10


def file_sender(scope: Mapping[str, Any]) -> FileSender | None:
    """Return the `FileSender` of an ASGI *scope*, None if the server has none for it."""
    found: FileSender | None = scope.get("extensions", {}).get(SEND_FILE)
    return found


class FileSender:
    """
    Sends a part of a file as the body of one response.

    Attributes:
        sent: Bytes that the kernel has taken. They are not in any message of ``send``.
    """

    #: uvicorn's state of the request.
    cycle: RequestResponseCycle

    def __init__(self, http: HttpToolsProtocol) -> None:
        self._http = http
        self.sent = 0
        #: A duplicate of the socket: the event loop refuses to watch the one of a transport.
        self._socket: int | None = None
        self._awaited: asyncio.Future[None] | None = None

    async def send(self, descriptor: int, offset: int, count: int) -> None:
        """
        Send *count* bytes of the file *descriptor* from *offset*, between the start of the response and its end.

        Raises:
            ConnectionError: The client is gone.
            OSError: The file cannot be read, or ended early.
        """
        await self._head_is_sent()
        self._socket = os.dup(self._http.transport.get_extra_info("socket").fileno())
        try:
            end = offset + count
            while offset < end:
                piece = min(_PIECE, end - offset)
                if _is_cached(descriptor, offset, piece):
                    sent = _send(self._socket, descriptor, offset, piece)
                else:
                    # It waits for the disk, and never for the client: the socket does not block.
                    sent = await run_in_threadpool(_send, self._socket, descriptor, offset, piece)
                offset += sent
                self.sent += sent
                self.cycle.expected_content_length -= sent
                if offset < end:
                    await self._writable()
        finally:
            opened, self._socket = self._socket, None
            os.close(opened)

    @property
    def is_waiting(self) -> bool:
        """True while the client has to read before more can be sent."""
        return self._awaited is not None

    @property
    def taken(self) -> int:
        """Bytes that the client's side has acknowledged, on Linux; elsewhere those that the kernel has taken."""
        if self._socket is None or not sys.platform.startswith("linux"):
            return self.sent
        queued = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))
        return self.sent - int(struct.unpack("i", queued)[0])

    def connection_lost(self) -> None:
        """Wake the sender."""
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    async def _head_is_sent(self) -> None:
        """Wait until the transport has nothing left to write: what it holds comes before the file."""
        transport, flow = self._http.transport, self._http.flow
        if self.cycle.disconnected or transport.is_closing():
            raise ConnectionError("the client is gone")
        low, high = transport.get_write_buffer_limits()
        transport.set_write_buffer_limits(high=0)
        await flow.drain()
        if self.cycle.disconnected or transport.is_closing():
            raise ConnectionError("the client is gone")
        transport.set_write_buffer_limits(high=high, low=low)

    async def _writable(self) -> None:
        """Wait until the kernel takes more. Raises ConnectionError if the client is gone."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        if not self.cycle.disconnected:
            self._awaited = loop.create_future()
            loop.add_writer(self._socket, self.connection_lost)
            try:
                await self._awaited
            finally:
                self._awaited = None
                loop.remove_writer(self._socket)
        if self.cycle.disconnected:
            raise ConnectionError("the client is gone")


def _send(to: int, descriptor: int, offset: int, count: int) -> int:
    """Return how many bytes the kernel has taken; 0 if the client has to read first."""
    try:
        sent = os.sendfile(to, descriptor, offset, count)
    except BlockingIOError:
        return 0
    if not sent:
        raise OSError("the data of an image ended early")
    return sent


def _is_cached(descriptor: int, offset: int, count: int) -> bool:
    """Return True if the bytes seem to be in memory, so that nothing waits for the disk."""
    if not hasattr(os, "RWF_NOWAIT"):
        return False
    byte = (bytearray(1),)
    try:
        for place in (*range(offset, offset + count, _LOOK_EVERY), offset + count - 1):
            os.preadv(descriptor, byte, place, os.RWF_NOWAIT)
    except OSError:
        return False
    return True
