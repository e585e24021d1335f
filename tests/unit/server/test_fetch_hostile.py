"""Origins that break the protocol, or send without end: they are cut off early, with a reason for the task."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from ecl.server.data.web.fetch import FetchError, fetch
from ecl.server.data.web.response import (
    MAX_CHUNK_LINE,
    MAX_CHUNKS_PER_MIB,
    MAX_HEAD_BYTES,
    MAX_INTERIM,
    MAX_TRAILER_BYTES,
)
from ecl.server.domain.text import MAX_FOREIGN_TEXT, printable
from ecl.server.settings.model import ImportSettings

NEAR = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.1/32",), idle_timeout=10, timeout=30)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
#: An endless answer ends here at the latest. What was sent is more than what was read: the kernel has buffers.
CAP = 64 << 20


class Origin:
    """A server on loopback for one request: it answers with *parts* until they end, or the client hangs up."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._listener.getsockname()[1]}/image"
        #: Bytes that were sent; more than `CAP` if nobody stopped it.
        self.sent = 0

    def serve(self) -> None:
        """Answer the request."""
        connection, _ = self._listener.accept()
        with connection:
            try:
                while not connection.recv(1 << 16).endswith(b"\r\n\r\n"):
                    pass
                for part in self._parts:
                    connection.sendall(part)
                    self.sent += len(part)
                    if self.sent > CAP:
                        break
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass
            except OSError:
                return

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@contextmanager
def origin(*parts: bytes, endless: bytes = b"") -> Iterator[Origin]:
    """An origin that sends *parts*, and then *endless* again and again."""
    server = Origin(itertools.chain(parts, itertools.repeat(endless) if endless else ()))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        thread.join()
        server.close()


def body_of(server: Origin, settings: ImportSettings = NEAR) -> bytes:
    """Fetch all that *server* sends."""
    return b"".join(fetch(server.uri, settings, 1 << 30, lambda: False))


@pytest.mark.parametrize(
    ("first", "endless", "reason"),
    [
        pytest.param(b"", INTERIM * 1000, "interim responses", id="interim responses"),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000, "interim", id="early hints"),
        pytest.param(OK, b"X-More: y\r\n" * 1000, "its headers", id="headers"),
        pytest.param(OK + b"X: ", b"y" * 10_000, "its headers", id="one header"),
        pytest.param(b"", b"y" * 10_000, "its headers", id="a status line"),
        pytest.param(CHUNKED, b"1\r\nx\r\n" * 1000, "chunks for a MiB", id="chunks of a byte"),
        pytest.param(CHUNKED + b"1;", b"y" * 10_000, "size of a chunk", id="a chunk extension"),
        pytest.param(CHUNKED + b"1\r\nx\r\n0\r\n", b"X-More: y\r\n" * 1000, "headers after the data", id="trailers"),
    ],
)
def test_endless_answers_are_cut_off(first: bytes, endless: bytes, reason: str) -> None:
    """A part of the answer that has no end is left at its bound."""
    with origin(first, endless=endless) as server, pytest.raises(FetchError, match=reason):
        body_of(server)
    assert server.sent <= CAP


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\ndata", "compressed"),
        (OK + b"Content-Length: -4\r\n\r\ndata", "Content-Length"),
        (OK + b"Content-Length: +4\r\n\r\ndata", "Content-Length"),
        (OK + b"Content-Length: 4, 4\r\n\r\ndata", "Content-Length"),
        (OK + b"Content-Length: 4\r\nContent-Length: 2\r\n\r\ndata", "Content-Length"),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\ndata", "Content-Length"),
        (OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (OK + b"Content-Length: 9\r\n\r\ndata", "5 bytes too early"),
        (OK + b"not a header\r\n\r\ndata", "not a header"),
        (OK + b"Content-Length : 4\r\n\r\ndata", "not a header"),
        (CHUNKED + b"4\r\ndata", "too early"),
        (CHUNKED + b"-4\r\ndata\r\n0\r\n\r\n", "without a size"),
        (CHUNKED + b"3\r\ndata\r\n0\r\n\r\n", "longer than its size"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "status 101"),
        (b"HTTP/2 200 OK\r\n\r\n", "status line"),
        (b"", "too early"),
    ],
)
def test_answers_that_break_the_protocol(answer: bytes, reason: str) -> None:
    """An answer whose length or form is in doubt brings no image."""
    with origin(answer) as server, pytest.raises(FetchError, match=reason):
        body_of(server)


def test_answers_at_the_bounds_are_taken() -> None:
    """As many interim responses, headers, chunks and trailers as allowed do no harm."""
    fields = b"X: y\r\n" * ((MAX_HEAD_BYTES - 1000) // 6)
    chunks = b"1;".ljust(MAX_CHUNK_LINE - 2, b"e") + b"\r\nx\r\n" + b"1\r\nx\r\n" * (MAX_CHUNKS_PER_MIB - 1)
    trailer = b"0\r\n" + b"X: y\r\n" * (MAX_TRAILER_BYTES // 6 - 1) + b"\r\n"
    head = INTERIM * MAX_INTERIM + OK + fields + b"Transfer-Encoding: Chunked\r\n\r\n"
    with origin(head, chunks, trailer) as server:
        assert body_of(server) == b"x" * MAX_CHUNKS_PER_MIB


@pytest.mark.parametrize("line", [b"HTTP/1.1 \x1b]0;owned\x07\0\nfailed", b"\x1b[2J" * 5000, b"\xff\0\r" * 5000])
def test_status_lines_reach_messages_in_printable_characters(line: bytes) -> None:
    """The message of the task is one line that is short and has no control characters."""
    with origin(line + b"\r\n\r\n") as server, pytest.raises(FetchError) as refused:
        body_of(server)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < MAX_FOREIGN_TEXT + 100


def test_foreign_text_is_cut() -> None:
    """Text from elsewhere becomes one line of printable characters, 200 at most; other scripts stay."""
    assert printable("a\r\n\x1b[31mb\0\u202ec  é日本") == "a [31mb c é日本"
    assert printable("x" * 10_000) == "x" * MAX_FOREIGN_TEXT


@pytest.mark.parametrize("first", [b"", OK + b"Content-Length: 100000\r\n\r\n", CHUNKED])
def test_a_slow_origin_is_left_long_before_the_timeout(first: bytes) -> None:
    """Bytes that come now and then do not count as progress: data must come at min_rate."""
    hung_up = threading.Event()

    def drip() -> Iterator[bytes]:
        yield first
        while not hung_up.wait(0.05):
            yield b"1"

    settings = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.1/32",), idle_timeout=1, min_rate=1000)
    server = Origin(drip())
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        with pytest.raises(FetchError, match="less than 1000 bytes of data a second"):
            body_of(server, settings)
    finally:
        hung_up.set()
        thread.join()
        server.close()
