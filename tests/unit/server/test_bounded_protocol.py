"""What one client can make the HTTP server hold or wait for, on both sides of each bound, over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from ecl.server.http.bounded_protocol import SPARE_CONNECTIONS, bounded_protocol
from ecl.server.settings.model import HttpSettings

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
#: Nothing here takes longer, unless a bound does not hold.
PATIENCE = 20


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, and answer with its length; ``/big`` answers with 8 MiB."""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = bytes(8 << 20) if scope["path"] == "/big" else b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for first in range(0, len(body), 1 << 20):
        more_body = first + (1 << 20) < len(body)
        await send({"type": "http.response.body", "body": body[first : first + (1 << 20)], "more_body": more_body})


class Server:
    """A server with the bounds of one test."""

    def __init__(self, port: int, state: ServerState) -> None:
        self.port = port
        self.state = state
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, words: bytes = b"") -> asyncio.StreamReader:
        """Return a connection on which *words* were sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16)
        self._writers.append(writer)
        writer.write(words)
        return reader

    async def ask(self, words: bytes) -> bytes:
        """Send *words*; return all that comes until the server closes the connection."""
        return await all_of(await self.connect(words))

    async def send(self, words: bytes) -> None:
        """Send more on the newest connection, if the server has not closed it."""
        writer = self._writers[-1]
        with suppress(ConnectionError):
            if not writer.is_closing():
                writer.write(words)
                await writer.drain()

    def close(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Return all that comes until the server ends the connection."""
    got = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while block := await reader.read(1 << 16):
                got += block
    except ConnectionError:
        pass
    return got


@asynccontextmanager
async def served(app: ASGIApp = _app, *, keep_alive: Any = 75, **bounds: Any) -> AsyncIterator[Server]:
    """Run a server with these bounds, and the defaults of the settings."""
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_keep_alive=keep_alive)
    config.load()
    state = ServerState()
    protocol = bounded_protocol(HttpSettings(**bounds))
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    one = Server(server.sockets[0].getsockname()[1], state)
    try:
        yield one
    finally:
        one.close()
        server.close()


def run(scenario: Callable[[], Awaitable[Any]]) -> Any:
    """Run a scenario in the loop that the service uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(scenario())  # type: ignore[arg-type]


def _head(size: int) -> bytes:
    """Return the head of a request, of exactly *size* bytes, after which the connection is closed."""
    start, end = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


# --- heads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize(("size", "status"), [(64 << 10, b"200"), ((64 << 10) + 32, b"431"), (300_000, b"431")])
def test_head_bytes(size: int, status: bytes, pieces: int) -> None:
    """A head of 64 KiB is served, a longer one is refused, also in pieces."""

    async def scenario() -> bytes:
        async with served() as server:
            words = _head(size)
            reader = await server.connect()
            step = -(-len(words) // pieces)
            for first in range(0, len(words), step):
                await server.send(words[first : first + step])
                await asyncio.sleep(0)
            return await all_of(reader)

    got = run(scenario)
    # A client that still sends may lose the answer to what it has sent; it is closed all the same.
    assert got.startswith(b"HTTP/1.1 " + status) or (status == b"431" and not got)


def test_a_header_without_end_is_cut_off() -> None:
    """The parser does not get to collect one header of any length."""

    async def scenario() -> int:
        async with served(max_head=64 << 10) as server:
            rest = asyncio.ensure_future(all_of(await server.connect(b"GET / HTTP/1.1\r\nX: ")))
            sent = 0
            while not rest.done() and sent < 20 << 20:
                await server.send(b"x" * (1 << 16))
                sent += 1 << 16
            return sent

    # What is in the kernel's buffers counts as sent.
    assert run(scenario) < 20 << 20


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\nHost: he"], ids=["silent", "half"])
def test_a_first_head_has_a_deadline(words: bytes) -> None:
    """A connection that sends no request, or a part of one, ends."""

    async def scenario() -> bytes:
        async with served(head_timeout=0.3) as server:
            return await server.ask(words)

    assert run(scenario).startswith(b"HTTP/1.1 408" if words else b"")


def test_a_dripping_head_has_the_same_deadline() -> None:
    """Bytes that keep coming do not move the deadline."""

    async def scenario() -> bytes:
        async with served(head_timeout=0.3) as server:
            reader = await server.connect(b"GET / HTTP/1.1\r\n")
            rest = asyncio.ensure_future(all_of(reader))
            while not rest.done():
                await server.send(b"X-A: b\r\n")
                await asyncio.wait([rest], timeout=0.02)
            return await rest

    assert run(scenario).startswith(b"HTTP/1.1 408")


def test_a_later_head_has_a_deadline_from_its_first_byte() -> None:
    """On a connection that is kept, waiting between two requests is not limited by it, a half head is."""

    async def scenario() -> tuple[int, bytes]:
        async with served(head_timeout=0.3) as server:
            reader = await server.connect(GET)
            await reader.readuntil(b"\r\n\r\n0")
            await asyncio.sleep(0.5)
            await server.send(GET)
            await reader.readuntil(b"\r\n\r\n0")
            await server.send(b"GET / HT")
            return 2, await all_of(reader)

    answered, rest = run(scenario)
    assert answered == 2
    assert rest.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n", b"400"),
        (b"GET / HTTP/1.0\r\n", b"200"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n", b"200"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n", b"501"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", b"501"),
    ],
)
def test_one_host_and_one_coding(lines: bytes, status: bytes) -> None:
    """A request has one Host header, in HTTP/1.0 perhaps none, and no coding that is not undone."""

    async def scenario() -> bytes:
        async with served() as server:
            return await server.ask(lines + b"Connection: close\r\n\r\n" + (b"0\r\n\r\n" if b"PUT" in lines else b""))

    assert run(scenario).startswith(b"HTTP/1.1 " + status)


def test_a_refused_head_is_not_taken_for_an_earlier_answer() -> None:
    """Where an earlier request has no answer yet, the connection ends instead."""

    async def scenario() -> bytes:
        async with served() as server:
            return await server.ask(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n")

    assert b" 400 " not in run(scenario)


# --- bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("pause", "status"), [(0.0, b"200"), (0.05, b"408")], ids=["fast", "slow"])
def test_a_body_has_a_least_rate(coding: bytes, pause: float, status: bytes) -> None:
    """A body that comes too slowly is given up with 408; one that is fast enough, though in pieces, is not."""

    async def scenario() -> bytes:
        async with served(min_rate=20_000, rate_window=0.4) as server:
            head = b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + coding + b"\r\n\r\n"
            rest = asyncio.ensure_future(all_of(await server.connect(head)))
            piece = b"x" * 500
            for _ in range(200):
                await server.send(piece if b"Length" in coding else b"1f4\r\n" + piece + b"\r\n")
                await asyncio.wait([rest], timeout=pause)
                if rest.done():
                    break
            if not rest.done() and b"chunked" in coding:
                await server.send(b"0\r\n\r\n")
            return await rest

    assert run(scenario).startswith(b"HTTP/1.1 " + status)


def test_a_client_that_waits_for_100_is_not_slow() -> None:
    """The rate counts from the moment at which the service asks for the body."""

    async def slow_app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.6)
        await _app(scope, receive, send)

    async def scenario() -> bytes:
        async with served(slow_app, min_rate=1000, rate_window=0.2) as server:
            reader = await server.connect(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n")
            await server.send(b"Connection: close\r\nContent-Length: 5\r\n\r\n")
            await reader.readuntil(b"100 Continue\r\n\r\n")
            await server.send(b"12345")
            return await all_of(reader)

    assert run(scenario).startswith(b"HTTP/1.1 200")


def test_an_answered_body_has_an_end() -> None:
    """A client that goes on to send what nobody wants is cut off, however fast it is."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def scenario() -> bytes:
        async with served(answer, head_timeout=0.4, keep_alive=0.3) as server:
            head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            rest = asyncio.ensure_future(all_of(await server.connect(head)))
            while not rest.done():
                await server.send(b"1f4\r\n" + b"x" * 500 + b"\r\n")
                await asyncio.wait([rest], timeout=0.01)
            return await rest

    assert run(scenario).startswith(b"HTTP/1.1 403")


# --- answers ------------------------------------------------------------------------------------------------


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """An answer that nobody reads does not hold its connection for ever, also when it is written completely."""

    async def scenario() -> None:
        async with served(rate_window=0.4) as server:
            for _ in range(2):
                await server.connect(GET.replace(b"/ ", b"/big "))
            async with asyncio.timeout(PATIENCE):
                while len(server.state.connections) < 2:
                    await asyncio.sleep(0.01)
                while server.state.connections:
                    await asyncio.sleep(0.01)

    run(scenario)


def test_a_slow_reader_that_is_fast_enough_gets_everything() -> None:
    """A client above the least rate has its answer, however long that takes."""

    async def scenario() -> int:
        async with served(min_rate=100_000, rate_window=0.3) as server:
            reader = await server.connect(
                GET.replace(b"/ ", b"/big ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            )
            size = 0
            while block := await reader.read(1 << 16):
                size += len(block)
                await asyncio.sleep(0.01)
            return size

    assert run(scenario) > 8 << 20


# --- connections --------------------------------------------------------------------------------------------


def test_connections_have_a_cap() -> None:
    """Up to the cap all are served; some more are told so; further ones are closed; then there is room again."""

    async def scenario() -> tuple[bytes, bytes, bytes, bytes]:
        async with served(max_connections=3) as server:
            closing = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            for _ in range(2):
                await server.connect()
            third = await server.ask(closing)
            await server.connect()
            fourth = await server.ask(GET)
            for _ in range(SPARE_CONNECTIONS):
                await server.connect()
            async with asyncio.timeout(PATIENCE):
                while len(server.state.connections) < 3 + SPARE_CONNECTIONS:
                    await asyncio.sleep(0.01)
            beyond = await server.ask(GET)
            server.close()
            async with asyncio.timeout(PATIENCE):
                while server.state.connections:
                    await asyncio.sleep(0.01)
            return third, fourth, beyond, await server.ask(closing)

    third, fourth, beyond, later = run(scenario)
    assert third.startswith(b"HTTP/1.1 200")
    assert fourth.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in fourth
    assert beyond == b""
    assert later.startswith(b"HTTP/1.1 200")
