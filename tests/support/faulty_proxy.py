"""
A bad network in front of a real service: a proxy that breaks what a test tells it to break.

::

    with FaultyProxy(service.url) as link:
        link.add(Fault(cut_at=1000))
        …
        assert link.data_requests[1].range == (1000, None)
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Fault", "FaultyProxy", "Seen"]

_BLOCK = 256 << 10
_HEAD_LIMIT = 64 << 10
#: Seconds that a body gets to end after it was refused.
_GRACE = 0.2


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request; by default, with one request for the data of an image."""

    method: str = "GET"
    #: How the path of the request ends.
    path: str = "/file"
    #: What the query of the request has in it.
    query: str = ""
    #: How many requests it happens to; None: to each.
    times: int | None = 1
    #: Only to requests with a range (True), or without one (False).
    ranged: bool | None = None
    #: Only to requests whose range begins here.
    first: int | None = None

    #: The request never reaches the service; this is the answer.
    answer: int | None = None
    #: Nothing happens to the request until so many connections have fallen silent.
    after_silent: int = 0
    #: Nothing happens to the request until this is set.
    after: threading.Event | None = None
    #: The request never reaches the service, and the connection is silent.
    unanswered: bool = False
    #: Nor does anybody read from it, beyond the head.
    unread: bool = False
    #: Bytes of the request's body after which both sides are hung up on.
    cut_request_at: int | None = None
    #: The service gets the request, and its answer is lost.
    lose_answer: bool = False
    #: The service is asked for everything, whatever range was wanted.
    drop_range: bool = False
    #: The service is asked for this range instead of the one that was wanted.
    other_range: tuple[int, int] | None = None
    #: The status that its answer gets.
    status: int | None = None
    #: Headers that are set in the answer; None takes one away.
    headers: dict[str, str | None] = field(default_factory=dict)
    #: Bytes of the answer's body that come; then the connection is closed.
    cut_at: int | None = None
    #: With *cut_at*: the connection is reset instead.
    reset: bool = False
    #: With *cut_at*: the connection stays open, and nothing more comes.
    stall: bool = False
    #: The byte of the answer's body in which a bit is flipped.
    flip_at: int | None = None

    def is_for(self, seen: Seen) -> bool:
        """Tell whether it happens to this request."""
        return (
            self.times != 0
            and seen.method == self.method
            and seen.path.endswith(self.path)
            and self.query in seen.query
            and self.ranged in (None, seen.range is not None)
            and self.first in (None, (seen.range or (None,))[0])
        )


@dataclass
class Seen:
    """A request that came by."""

    method: str
    path: str
    headers: dict[str, str]
    query: str = ""
    #: First and last byte asked for; None for the last: to the end. None: no range.
    range: tuple[int, int | None] | None = None
    #: Bytes of its body that were passed on, or are just about to be.
    received: int = 0
    #: The answer's status, and the bytes of its body that were passed on, or are just about to be.
    status: int = 0
    sent: int = 0


class FaultyProxy:
    """Passes requests on to a service; each request that a :class:`Fault` is for suffers from the first such."""

    def __init__(
        self,
        target: str,
        *,
        rate: float | None = None,
        delay: float = 0,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """
        Describe the link.

        Args:
            target: The service's address.
            rate: Bytes a second that each connection carries, at most.
            delay: Seconds that each answer is late.
            certificate: Paths of a certificate and its key, to be spoken to by https.
        """
        parts = urllib.parse.urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self.rate = rate
        self.delay = delay
        self.requests: list[Seen] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ended = False
        self._released = False
        self._stalls: list[threading.Event] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self.url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{self.port}"
        # Connections that are open now, and the most that ever were at once while they carried data.
        self._busy = 0
        self.most_at_once = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = True
            sockets = [self._listener, *self._open]
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.release()
        for thread in self._threads:
            thread.join()

    def add(self, *faults: Fault) -> None:
        """Let these happen from now on."""
        with self._lock:
            self._faults += faults

    def heal(self) -> None:
        """Let nothing more happen."""
        with self._lock:
            self._faults.clear()

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until *condition* is true. Fails after *seconds*."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            self._wait(0.01)

    @property
    def pending(self) -> list[Fault]:
        """The faults that have not happened as often as they should."""
        with self._lock:
            return [fault for fault in self._faults if fault.times]

    def release(self) -> None:
        """Close the connections that are stalled, and those that are to be."""
        with self._lock:
            self._released = True
            for stall in self._stalls:
                stall.set()

    @property
    def silent(self) -> int:
        """Connections that have fallen silent so far."""
        with self._lock:
            return len(self._stalls)

    @property
    def data_requests(self) -> list[Seen]:
        """The downloads of data so far."""
        return [each for each in self.requests if each.method == "GET" and each.path.endswith("/file")]

    @property
    def fetched(self) -> int:
        """Bytes of image data that came down so far."""
        return sum(each.sent for each in self.data_requests)

    def forget(self) -> None:
        """Forget the requests so far."""
        self.requests.clear()

    # --- one connection -----------------------------------------------------------------------------------

    def _start(self, target: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name="faulty-proxy")  # type: ignore[arg-type]
        with self._lock:
            self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _keep(self, opened: socket.socket) -> socket.socket:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(opened)
            ended = self._ended
        if ended:
            opened.close()
        return opened

    def _drop(self, opened: socket.socket) -> None:
        with self._lock:
            self._open.discard(opened)
        opened.close()

    def _serve(self, client: socket.socket) -> None:
        self._keep(client)
        # Whoever goes away in the middle is what this is for.
        try:
            with suppress(OSError, _HangUp):
                if self._tls is not None:
                    self._open.discard(client)
                    client = self._keep(self._tls.wrap_socket(client, server_side=True))
                half = _Half(client)
                while self._pass_on(half):
                    pass
        finally:
            self._drop(client)

    def _pass_on(self, client: _Half) -> bool:
        """Take one request through; return False if the connection ends with it."""
        line, headers = client.head()
        method, path, _ = line.split(" ", 2)
        path, _, query = path.partition("?")
        seen = Seen(method, path, headers, query, _range_of(headers.get("range")))
        with self._lock:
            self.requests.append(seen)
            fault = self._fault_for(seen)
        if fault.after_silent:
            self.until(lambda: self._released or len(self._stalls) >= fault.after_silent)
        if fault.after is not None:
            self.until(lambda: self._released or fault.after.is_set())
        if fault.unanswered or fault.unread:
            self._stall(client, None if fault.unread else seen)
            return False
        if fault.answer is not None:
            extra = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items())
            text = f"HTTP/1.1 {fault.answer} Fault\r\n{extra}Content-Length: 0\r\nConnection: close\r\n\r\n"
            client.socket.sendall(text.encode())
            client.linger()
            return False
        wanted = {**headers, "connection": "close"}
        if fault.drop_range:
            wanted.pop("range", None)
        if fault.other_range is not None and "range" in wanted:
            wanted["range"] = "bytes={}-{}".format(*fault.other_range)
        upstream = self._keep(socket.create_connection(self._target))
        try:
            service = _Half(upstream)
            service.send_head(line, wanted)
            sender = self._start(self._send_body, client, service, seen, fault)
            whole = self._answer(client, service, seen, fault)
            # The service has the whole body, or it said no before.
            sender.join(_GRACE if seen.status >= 400 else None)
            if sender.is_alive():
                with suppress(OSError):
                    client.socket.shutdown(socket.SHUT_WR)
                whole = False
            sender.join()
            return whole
        finally:
            self._drop(upstream)

    def _fault_for(self, seen: Seen) -> Fault:
        for index, fault in enumerate(self._faults):
            if fault.is_for(seen):
                if fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                return fault
        return Fault()

    def _send_body(self, client: _Half, service: _Half, seen: Seen, fault: Fault) -> None:
        try:
            left = None if fault.cut_request_at is None else fault.cut_request_at
            for block in client.body(seen.headers, has_none=True):
                passed = block if left is None else block[:left]
                # What the service does not want any more is still taken from the client.
                seen.received += len(passed)
                with suppress(OSError):
                    service.socket.sendall(passed)
                self._slow_down(block)
                if left is not None:
                    left -= len(passed)
                    if left == 0:
                        raise _HangUp
        except (OSError, _HangUp):
            for each in (service.socket, client.socket):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _answer(self, client: _Half, service: _Half, seen: Seen, fault: Fault) -> bool:
        line, headers = service.head()
        if fault.lose_answer:
            raise _HangUp
        changes = {name.lower(): value for name, value in fault.headers.items()}
        shown = {name: value for name, value in {**headers, **changes}.items() if value is not None}
        shown.pop("connection", None)
        status = fault.status or int(line.split(" ")[1])
        seen.status = status
        if self.delay:
            self._wait(self.delay)
        client.send_head(f"HTTP/1.1 {status} As-It-Came", shown)
        if seen.method == "HEAD" or status in (204, 304):
            return True
        with self._carrying() as done:
            for block, is_last in _with_last(service.body(headers)):
                if is_last:
                    done()
                self._send(client, block, seen, fault)
        if fault.cut_at is not None:
            raise _HangUp
        return "content-length" in shown or "transfer-encoding" in shown

    @contextmanager
    def _carrying(self) -> Iterator[Callable[[], None]]:
        """Count a connection that carries data until it is done, which a client must not see first."""
        done = ExitStack()
        with self._lock:
            self._busy += 1
            self.most_at_once = max(self.most_at_once, self._busy)
            done.callback(self._carried)
        with done:
            yield done.close

    def _carried(self) -> None:
        with self._lock:
            self._busy -= 1

    # All counting comes before what it counts: whoever has the last byte finds it counted.
    def _send(self, client: _Half, block: bytes, seen: Seen, fault: Fault) -> None:
        if fault.flip_at is not None and 0 <= (at := fault.flip_at - seen.sent) < len(block):
            block = block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]
        if fault.cut_at is not None and seen.sent + len(block) >= fault.cut_at:
            rest = block[: fault.cut_at - seen.sent]
            seen.sent = fault.cut_at
            client.socket.sendall(rest)
            if fault.stall:
                self._stall(client, seen)
            if fault.reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _HangUp
        seen.sent += len(block)
        client.socket.sendall(block)
        self._slow_down(block)

    def _slow_down(self, block: bytes) -> None:
        if self.rate:
            self._wait(len(block) / self.rate)

    def _wait(self, seconds: float) -> None:
        # Not by time.sleep, which a test may have made shorter.
        threading.Event().wait(seconds)

    def _stall(self, client: _Half, seen: Seen | None) -> None:
        """Wait until the test releases the connection, or the client gives it up; None: nobody reads from that."""
        over = threading.Event()
        with self._lock:
            self._stalls.append(over)
            if self._released:
                over.set()

        def watch(seen: Seen) -> None:
            with suppress(OSError):
                while block := client._receive():
                    seen.received += len(block)
            over.set()

        if seen is not None:
            self._start(watch, seen)
        over.wait()
        # As long as the watcher reads, closing would not be enough.
        with suppress(OSError):
            client.socket.shutdown(socket.SHUT_RDWR)


class _HangUp(Exception):
    """Close the connection now."""


class _Half:
    """One side of a connection."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self._rest = b""

    def _receive(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest or self.socket.recv(_BLOCK)

    def head(self) -> tuple[str, dict[str, str]]:
        """Read up to the empty line; return the first line and the headers. Raises _HangUp at the end."""
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            block = self._receive()
            if not block or len(buffer) > _HEAD_LIMIT:
                raise _HangUp
            buffer += block
        text, _, self._rest = buffer.partition(b"\r\n\r\n")
        line, *fields = text.decode("latin-1").split("\r\n")
        pairs = (each.partition(":")[::2] for each in fields)
        return line, {name.strip().lower(): value.strip() for name, value in pairs}

    def send_head(self, line: str, headers: dict[str, str]) -> None:
        """Send first line and headers."""
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(f"{line}\r\n{text}\r\n".encode("latin-1"))

    def body(self, headers: dict[str, str], *, has_none: bool = False) -> Iterator[bytes]:
        """Yield what follows a head, as it is on the wire. *has_none*: without a length there is no body."""
        if "chunked" in headers.get("transfer-encoding", ""):
            yield from self._chunks()
            return
        left = int(headers["content-length"]) if "content-length" in headers else None
        if left is None and has_none:
            return
        while left is None or left > 0:
            block = self._receive()
            if not block:
                if left is not None:
                    raise _HangUp
                return
            if left is not None:
                block, self._rest = block[:left], block[left:]
                left -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        tail = b""
        while not tail.endswith(b"0\r\n\r\n"):
            block = self._receive()
            if not block:
                raise _HangUp
            tail = (tail + block)[-5:]
            yield block

    def wait_for_end(self) -> None:
        """Wait until the other side goes."""
        with suppress(OSError):
            while self.socket.recv(_BLOCK):
                pass

    def linger(self) -> None:
        """Say that nothing more comes, and take what is on its way."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        self.wait_for_end()


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each block with whether it is the last."""
    held: bytes | None = None
    for block in blocks:
        if held is not None:
            yield held, False
        held = block
    if held is not None:
        yield held, True


def _range_of(header: str | None) -> tuple[int, int | None] | None:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", header or "")
    return (int(match[1]), int(match[2]) if match[2] else None) if match else None
