"""Bodies read straight from the socket, against uvicorn itself: no byte is lost or given to another request."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from ecl.server.errors import BadRequest
from ecl.server.http import body as body_module
from ecl.server.http.body import Body
from ecl.server.http.body_protocol import DirectBodyProtocol, direct_body
from support.http_stub import make_certificate

#: One byte string for every test; a body is a piece of it, so that no two places look alike.
DATA = bytes(number * number % 251 for number in range(400_000))
LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (asyncio.new_event_loop, uvloop.new_event_loop)
each_loop = pytest.mark.parametrize("make_loop", LOOPS, ids=["asyncio", "uvloop"])


@dataclass
class Ask:
    """A request, and what the handler does with its body."""

    size: int = 0
    #: Bytes that the handler reads at a time.
    buffer: int = 1000
    #: Bytes after which it answers without reading on; None: at the end.
    stop: int | None = None
    chunked: bool = False
    #: Turns of the event loop that the handler does something else for between two reads.
    turns: int = 0

    def words(self) -> bytes:
        """Return the request as it is on the wire."""
        stop = "" if self.stop is None else str(self.stop)
        head = f"PUT /{self.buffer}/{stop}/{self.turns} HTTP/1.1\r\nHost: here\r\n".encode()
        data = DATA[: self.size]
        if not self.chunked:
            return head + b"Content-Length: %d\r\n\r\n" % self.size + data
        body = b"%x\r\n%s\r\n" % (self.size, data) if self.size else b""
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


class Buffer(bytearray):
    """Memory of which it can be told whether it is still held."""


class App:
    """Reads a body as its path says, and answers what it has read."""

    def __init__(self) -> None:
        #: Error of each request that had one.
        self.errors: list[Exception] = []
        self.direct_bytes = 0
        #: The buffer of each request.
        self.buffers: list[weakref.ref[Buffer]] = []
        self.done = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, length, stop, turns = scope["path"].split("/")
        body, read = Body(scope, receive), bytearray()
        memory = Buffer(int(length))
        self.buffers.append(weakref.ref(memory))
        buffer = memoryview(memory)
        try:
            while not stop or len(read) < int(stop):
                if not (count := await body.readinto(buffer)):
                    break
                read += buffer[:count]
                for _ in range(int(turns)):
                    await asyncio.sleep(0)
                # A short count is the end, and stays it.
                if count < len(buffer):
                    assert not await body.readinto(buffer)
        except (ClientDisconnect, BadRequest) as exc:
            self.errors.append(exc)
        finally:
            if (direct := direct_body(scope)) is not None:
                self.direct_bytes += direct.received
            self.done.set()
        answer = json.dumps({"size": len(read), "md5": hashlib.md5(read).hexdigest()}).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@asynccontextmanager
async def served(
    tls: tuple[Path, Path] | None = None, **more: Any
) -> AsyncIterator[tuple[App, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Serve an `App`; give it with a connection."""
    app = App()
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", **more)
    config.load()
    state = ServerState()
    server_tls = client_tls = None
    if tls is not None:
        server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_tls.load_cert_chain(*tls)
        client_tls = ssl.create_default_context(cafile=tls[0])
    server = await asyncio.get_running_loop().create_server(
        lambda: DirectBodyProtocol(config, state, {}), "127.0.0.1", 0, ssl=server_tls
    )
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_tls)
    try:
        yield app, reader, writer
    finally:
        writer.close()
        server.close()


async def answer(reader: asyncio.StreamReader) -> Any:
    """Read one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return json.loads(await reader.readexactly(length))


async def converse(asks: Sequence[Ask], cuts: Sequence[int], tls: tuple[Path, Path] | None = None) -> App:
    """Send all *asks* in one go, in pieces cut at *cuts*; check each answer."""
    async with served(tls) as (app, reader, writer):
        words = b"".join(ask.words() for ask in asks)
        places = sorted({cut % len(words) for cut in cuts} | {0, len(words)})
        sending = asyncio.ensure_future(_send(writer, [words[a:b] for a, b in pairwise(places)]))
        for ask in asks:
            got = await asyncio.wait_for(answer(reader), 20)
            if ask.stop is None:
                assert got["size"] == ask.size
            assert got["size"] >= min(ask.size, ask.stop or 0)
            assert got["md5"] == hashlib.md5(DATA[: got["size"]]).hexdigest()
        await sending
        assert app.errors == []
        return app


async def _send(writer: asyncio.StreamWriter, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        # The server, in the same loop, gets to see each piece alone.
        for _ in range(3):
            await asyncio.sleep(0)


def run(make_loop: Callable[[], asyncio.AbstractEventLoop], coroutine: Any) -> Any:
    """Run *coroutine* in a loop of that kind."""
    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(coroutine)


ASKS = st.builds(
    Ask,
    size=st.one_of(st.integers(0, 300), st.integers(0, len(DATA)), st.integers(100_000, len(DATA))),
    buffer=st.sampled_from([1, 7, 1000, 65536, 100_000]),
    stop=st.one_of(st.none(), st.integers(0, 100_000)),
    chunked=st.booleans(),
    turns=st.sampled_from([0, 2, 10]),
).filter(lambda ask: ask.size // ask.buffer < 5000)


@each_loop
@settings(max_examples=60, deadline=None)
@given(st.lists(ASKS, min_size=1, max_size=5), st.lists(st.integers(0, 2_000_000), max_size=12))
def test_requests_in_any_pieces(
    make_loop: Callable[[], asyncio.AbstractEventLoop], asks: list[Ask], cuts: list[int]
) -> None:
    """Requests sent one after another without waiting are answered in order, each for its own bytes."""
    run(make_loop, converse(asks, cuts))


@each_loop
def test_all_but_the_first_bytes_are_read_directly(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A body longer than what the parser holds at most goes into the handler's buffers."""
    app = run(make_loop, converse([Ask(len(DATA), 65536)] * 2, range(0, 2 * len(DATA), 50_000)))

    assert app.direct_bytes > len(DATA)


@each_loop
def test_an_idle_connection_holds_no_buffer(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Once a body is read, nothing but the handler has its memory: a connection may be kept for long."""

    async def scenario() -> list[bool]:
        async with served() as (app, reader, writer):
            for ask in (Ask(len(DATA), 300_000), Ask(len(DATA), 1000, stop=300_000)):
                await _send(writer, [ask.words()])
                await answer(reader)
            await asyncio.sleep(0)
            return [memory() is None for memory in app.buffers]

    assert run(make_loop, scenario()) == [True, True]


@each_loop
def test_over_tls(make_loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    """The same over an encrypted connection, with requests before and after, read to their end or not."""
    asks = [Ask(len(DATA), 100_000), Ask(300), Ask(len(DATA), 65536, stop=70_000), Ask(len(DATA), 1000), Ask(5)]

    app = run(make_loop, converse(asks, range(0, 4 * len(DATA), 33_333), make_certificate(tmp_path)))

    assert app.direct_bytes > len(DATA)


@each_loop
def test_a_client_that_goes_away(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A handler that waits for the rest of a body learns that nobody will send it."""

    async def scenario() -> App:
        async with served() as (app, _, writer):
            await _send(writer, [Ask(len(DATA), 65536).words()[:200_000]])
            writer.close()
            await asyncio.wait_for(app.done.wait(), 20)
            return app

    assert [type(error) for error in run(make_loop, scenario()).errors] == [ClientDisconnect]


@each_loop
def test_silence(make_loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is given up when no byte has come for a time, and not while some still do."""
    monkeypatch.setattr(body_module, "IDLE_TIMEOUT", 0.3)
    words = Ask(len(DATA), 300_000).words()

    async def scenario() -> App:
        async with served() as (app, reader, writer):
            # Five pieces in more than IDLE_TIMEOUT, all of them in one buffer.
            for first in range(0, 250_000, 50_000):
                writer.write(words[first : first + 50_000])
                await asyncio.sleep(0.1)
            assert app.errors == []
            await asyncio.wait_for(app.done.wait(), 20)
            assert (await answer(reader))["size"] == 0
            # Who goes on sends to nobody, and the connection is as good as new.
            writer.write(words[250_000:] + Ask(100).words())
            assert (await asyncio.wait_for(answer(reader), 20))["size"] == 100
            return app

    assert [str(error) for error in run(make_loop, scenario()).errors] == ["Nothing came for 0.3 seconds."]


@each_loop
def test_a_refused_body_that_never_ends(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Who has the answer and still does not send the rest is cut off like any idle connection."""

    async def scenario() -> None:
        async with served(timeout_keep_alive=0) as (_, reader, writer):
            writer.write(Ask(len(DATA), 1000, stop=280_000).words()[:300_000])
            assert (await answer(reader))["size"] == 280_000
            assert await asyncio.wait_for(reader.read(), 20) == b""

    run(make_loop, scenario())
