"""
HTTP connections with bounds: on their number, on the size and time of a head, and on how slow a client may be.

uvicorn itself waits for ever for a head, a body, or a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ecl.server.http.body_protocol import DirectBodyProtocol
from ecl.server.settings.model import HttpSettings

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = ["SPARE_CONNECTIONS", "bounded_protocol"]

#: Connections above the most allowed that are answered with 503. Any more are closed without an answer.
SPARE_CONNECTIONS = 64
#: Bytes of an answer that wait for the client before the service stops to read more of the image.
_WRITE_BUFFER = 32 << 10
#: Each time limit is looked at so many times.
_LOOKS = 8


def bounded_protocol(bounds: HttpSettings) -> type[DirectBodyProtocol]:
    """Return the protocol with the *bounds* of the settings, for uvicorn."""
    return type("BoundedProtocol", (_BoundedProtocol,), {"bounds": bounds})


class _HeadRefused(Exception):
    """Ends the parser's work on a head that is refused."""


class _BoundedProtocol(DirectBodyProtocol):
    bounds: HttpSettings

    def __init__(self, *arguments: Any, **more: Any) -> None:  # Any: what uvicorn passes
        super().__init__(*arguments, **more)
        #: True if there were enough connections before this one.
        self._is_spare = False
        #: When the head that is awaited has to be complete; None while none is awaited.
        self._head_until: float | None = None
        self._head_begun = False
        #: Bytes of the lines of the head, and of pieces that hold nothing but a part of it.
        self._head_bytes = self._piece_bytes = 0
        self._body_bytes = 0
        #: When the current request was answered, if its body is still coming.
        self._answered_at: float | None = None
        #: Status and message of the answer to a request that is refused.
        self._refusal: tuple[int, str] | None = None
        self._is_refused = False
        self._receiving = _Pace(self.bounds)
        self._sending = _Pace(self.bounds)
        self._look: asyncio.TimerHandle | None = None

    # --- a connection -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection; close it if there are too many."""
        excess = len(self.connections) - self.bounds.max_connections
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._counted = _CountingTransport(transport)
        super().connection_made(self._counted)  # type: ignore[arg-type]
        if excess >= SPARE_CONNECTIONS:
            transport.abort()
            return
        self._is_spare = excess >= 0
        self._await_head()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to watch it."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come, as far as it is within the bounds."""
        if self._is_refused:
            return
        if self._is_spare:
            self._refuse(503, "The service has as many connections as it can serve. Try again later.")
            return
        within_head = self._head_begun
        super().data_received(data)
        if self.transport.is_closing():
            return
        if within_head and self._head_begun:
            # The parser keeps a header to itself until it is complete.
            self._piece_bytes += len(data)
            if self._piece_bytes > self.bounds.max_head:
                self._refuse(431, self._too_long())
                return
        if self._head_until is None and (self._head_begun or (not self.receives_body and self._is_idle)):
            self._await_head()

    # --- a head -----------------------------------------------------------------------------------------------

    def _await_head(self) -> None:
        self._head_until = self.loop.time() + self.bounds.head_timeout

    def on_message_begin(self) -> None:
        """Begin to count the bytes of a head."""
        self._head_begun = True
        self._head_bytes = self._piece_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count it."""
        self._count_head(len(url) + len(b" HTTP/1.1\r\n"))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count it."""
        self._count_head(len(name) + len(value) + len(b": \r\n"))
        super().on_header(name, value)

    def _count_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > self.bounds.max_head:
            self._stop_parsing(431, self._too_long())

    def _too_long(self) -> str:
        return f"The head of a request may have at most {self.bounds.max_head} bytes."

    def on_headers_complete(self) -> None:
        """Check the head, and start the request."""
        self._check_head()
        self._head_begun, self._head_until = False, None
        self._body_bytes, self._answered_at = 0, None
        self._receiving.rest()
        super().on_headers_complete()

    def _check_head(self) -> None:
        hosts = [value for name, value in self.headers if name == b"host"]
        # RFC 9112, 3.2: with two of them, a proxy and the service could see different hosts.
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            self._stop_parsing(400, "A request needs exactly one Host header.")
        codings = b",".join(value for name, value in self.headers if name == b"transfer-encoding")
        # RFC 9112, 6.1.
        if codings and codings.strip().lower() != b"chunked":
            self._stop_parsing(501, "The only transfer coding that this service knows is chunked.")

    def _stop_parsing(self, status: int, message: str) -> None:
        self._refusal = (status, message)
        raise _HeadRefused

    def send_400_response(self, msg: str) -> None:
        """Refuse a request; uvicorn calls this when the parser has stopped."""
        self._refuse(*(self._refusal or (400, msg)))

    # --- a body and an answer ---------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        """Count the bytes."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Note the time: what is left of the body has as long as the next request."""
        self._answered_at = self.loop.time()
        super().on_response_complete()

    @property
    def _is_idle(self) -> bool:
        # uvicorn does not say so, but there is none before the first request.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _watch(self) -> None:
        now = self.loop.time()
        tick = min(self.bounds.head_timeout, self.bounds.rate_window) / _LOOKS
        self._look = None
        self._end_if_late(now)
        when = now + tick if self._head_until is None else min(now + tick, max(self._head_until, now + tick / _LOOKS))
        self._look = self.loop.call_at(when, self._watch)

    def _end_if_late(self, now: float) -> None:
        pending = self.transport.get_write_buffer_size()
        if not pending and self.sending is None:
            self._sending.rest()
        elif self._sending.is_too_slow(now, self._counted.written + self.file_bytes - pending - self._unacknowledged()):
            # With a reset: the kernel would keep what the client does not read.
            connection = self.transport.get_extra_info("socket")
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        if self._head_until is not None and now >= self._head_until and self._is_idle:
            if self._head_begun:
                self._refuse(408, f"The head of the request was not complete in {self.bounds.head_timeout:g} seconds.")
            else:
                self.transport.close()
        elif self.receives_body:
            self._end_if_body_is_late(now)

    def _unacknowledged(self) -> int:
        """Return the bytes that the kernel holds for the client; it takes megabytes at once, also for a slow one."""
        connection = self.transport.get_extra_info("socket")
        if connection is None or not sys.platform.startswith("linux"):
            return 0
        return int.from_bytes(fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def _end_if_body_is_late(self, now: float) -> None:
        if self.cycle.response_complete and self._answered_at is not None:
            if now - self._answered_at >= self.timeout_keep_alive:
                self.transport.close()
            return
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            # The service is not waiting for the client, but the client for the service.
            self._receiving.rest()
        elif self._receiving.is_too_slow(now, self._body_bytes + (self._direct.received if self._direct else 0)):
            self._refuse(408, f"The body came with less than {self.bounds.min_rate} bytes a second.")

    def _refuse(self, status: int, message: str) -> None:
        """Answer instead of the application, unless it has begun to, and close the connection."""
        self._is_refused = True
        cycle = self.cycle
        if not self._is_idle and (self._head_begun or cycle.response_started):
            # The client would take this answer for one to an earlier request, or for a part of it.
            self.transport.abort()
            return
        content = f"{message}\n".encode()
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "content-type: text/plain; charset=utf-8",
            f"content-length: {len(content)}",
            "connection: close",
        ]
        if status == 503:
            lines.append("retry-after: 5")
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + content)
        self.transport.close()
        if not self._is_idle:
            # The handler learns of it as of any client that goes away, and answers nothing more.
            cycle.disconnected = True
            cycle.message_event.set()


class _Pace:
    """Tells whether bytes move fast enough, on average over the window of the settings."""

    def __init__(self, bounds: HttpSettings) -> None:
        self._window = bounds.rate_window
        self._least = bounds.min_rate * bounds.rate_window
        self._since: float | None = None
        self._before = 0

    def rest(self) -> None:
        """Start again: there was nothing to wait for."""
        self._since = None

    def is_too_slow(self, now: float, count: int) -> bool:
        """Return True if a window has ended, and *count*, the bytes so far, has grown by too little in it."""
        if self._since is None:
            self._since, self._before = now, count
            return False
        if now - self._since < self._window:
            return False
        is_slow = count - self._before < self._least
        self._since, self._before = now, count
        return is_slow


class _CountingTransport:
    """A transport that counts what is written to it."""

    __slots__ = ("_transport", "written")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.written = 0

    def write(self, data: bytes) -> None:
        """Count and write."""
        self.written += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:  # Any: whatever a transport has
        return getattr(self._transport, name)
