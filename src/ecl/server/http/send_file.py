"""
Answers whose bytes the kernel copies from a file to the socket (sendfile): an extension of ASGI, for plain HTTP.

The process neither reads nor holds the bytes, and a client that does not read costs no thread. In
``scope["extensions"][SEND_FILE]`` a handler finds a `FileSender`; there is none under TLS, where the process encrypts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ecl.server import threads

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["SEND_FILE", "FileSender", "FileSendingProtocol", "file_sender"]

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


class FileSendingProtocol(Protocol):
    """
    What a sender needs of its connection.

    Attributes:
        sending: The sender that is at work.
        file_bytes: Bytes of files that the kernel has taken.
    """

    transport: asyncio.Transport
    flow: FlowControl
    sending: FileSender | None
    file_bytes: int


class FileSender:
    """
    Sends a part of a file as the body of one response.

    Attributes:
        sent: Bytes that the kernel has taken. They are not in any message of ``send``.
    """

    #: uvicorn's state of the request.
    cycle: RequestResponseCycle

    def __init__(self, http: FileSendingProtocol) -> None:
        self._http = http
        self.sent = 0
        self._awaited: asyncio.Future[None] | None = None

    async def send(self, descriptor: int, offset: int, count: int) -> None:
        """
        Send *count* bytes of the file *descriptor* from *offset*, between the start of the response and its end.

        Raises:
            ConnectionError: The client is gone.
            OSError: The file cannot be read, or ended early.
        """
        self._http.sending = self
        try:
            await self._head_is_sent()
            # The event loop does not watch the socket of a transport, but it watches a duplicate.
            duplicate = os.dup(self._http.transport.get_extra_info("socket").fileno())
            try:
                await self._send(duplicate, descriptor, offset, offset + count)
            finally:
                os.close(duplicate)
        finally:
            self._http.sending = None

    async def _head_is_sent(self) -> None:
        """Wait until the transport has nothing left to write: what it holds comes before the file."""
        transport = self._http.transport
        self._check_connected()
        low, high = transport.get_write_buffer_limits()
        transport.set_write_buffer_limits(high=0)
        await self._http.flow.drain()
        self._check_connected()
        transport.set_write_buffer_limits(high=high, low=low)

    async def _send(self, to: int, descriptor: int, offset: int, end: int) -> None:
        # The kernel often takes a part of a piece: what was found in memory is not looked up again.
        cached = offset
        while offset < end:
            piece = min(_PIECE, (cached if cached > offset else end) - offset)
            if cached > offset or _is_cached(descriptor, offset, piece):
                cached = max(cached, offset + piece)
                sent = _send(to, descriptor, offset, piece)
            else:
                sent = await _send_in_thread(to, descriptor, offset, piece)
            offset += sent
            self.sent += sent
            self._http.file_bytes += sent
            self.cycle.expected_content_length -= sent
            if offset < end:
                await self._writable(to)

    async def _writable(self, to: int) -> None:
        """Wait until the kernel takes more. Raises ConnectionError if the client is gone."""
        self._check_connected()
        loop = asyncio.get_running_loop()
        self._awaited = loop.create_future()
        loop.add_writer(to, self.wake)
        try:
            await self._awaited
        finally:
            self._awaited = None
            loop.remove_writer(to)
        self._check_connected()

    def wake(self) -> None:
        """Try to send more: the client has read, or is gone."""
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def _check_connected(self) -> None:
        # Not the state of the request: uvicorn notes a lost connection at the last request of a pipeline only.
        if self._http.transport.is_closing():
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


async def _send_in_thread(to: int, descriptor: int, offset: int, count: int) -> int:
    """Do the same in a thread, which waits for the disk, and never for the client: the socket does not block."""
    work = asyncio.ensure_future(threads.touch(_send, to, descriptor, offset, count))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # The caller closes both descriptors now, and their numbers may be used for other files at once.
        await asyncio.wait([work])
        raise


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
