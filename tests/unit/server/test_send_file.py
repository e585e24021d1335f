"""Answers that the kernel copies from a file to the socket, against uvicorn itself and over real connections."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from ecl.server.http.bounded_protocol import bounded_protocol
from ecl.server.http.send_file import file_sender
from ecl.server.settings.model import HttpSettings
from support.http_stub import make_certificate

SIZE = 9 << 20
DATA = os.urandom(1 << 16) * (SIZE >> 16)
#: Nothing here takes longer, unless a promise does not hold.
PATIENCE = 20
LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (asyncio.new_event_loop, uvloop.new_event_loop)
each_loop = pytest.mark.parametrize("make_loop", LOOPS, ids=["asyncio", "uvloop"])


class App:
    """
    Answers ``/FIRST/COUNT`` with that part of a file, and notes how each request ended.

    ``/plain/COUNT`` has the first bytes of the file as an ordinary answer.
    """

    def __init__(self, path: Path, state: ServerState) -> None:
        self._path = path
        self._state = state
        #: Of each request: bytes that its sender sent, and the error.
        self.ended: list[tuple[int, Exception | None]] = []

    def unsent_bytes(self) -> int:
        """Return what the event loop holds of answers, because clients do not read."""
        return sum(connection.transport.get_write_buffer_size() for connection in self._state.connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, first, count = scope["path"].split("/")
        if first == "plain":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", count.encode())]})
            await send({"type": "http.response.body", "body": DATA[: int(count)]})
            return
        sender, error = file_sender(scope), None
        descriptor = os.open(self._path, os.O_RDONLY)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", count.encode())]})
        try:
            assert sender is not None
            await sender.send(descriptor, int(first), int(count))
        except (OSError, AssertionError) as exc:
            error = exc
            raise
        else:
            await send({"type": "http.response.body", "body": b""})
        finally:
            os.close(descriptor)
            self.ended.append((sender.sent if sender is not None else 0, error))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file on the disk."""
    path = tmp_path / "data"
    path.write_bytes(DATA)
    return path


@asynccontextmanager
async def served(path: Path, tls: ssl.SSLContext | None = None, **bounds: Any) -> AsyncIterator[tuple[App, int]]:
    """Serve *path*; give the application and the port."""
    state = ServerState()
    app = App(path, state)
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
    config.load()
    protocol = bounded_protocol(HttpSettings(**bounds))
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, state, {}), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield app, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        async with asyncio.timeout(PATIENCE):
            while state.tasks or state.connections:
                await asyncio.sleep(0.001)


def run(scenario: Callable[[], Awaitable[Any]], make_loop: Callable[[], asyncio.AbstractEventLoop] = LOOPS[1]) -> Any:
    """Run a scenario; afterwards no socket is left open."""

    async def within_time() -> Any:
        async with asyncio.timeout(PATIENCE):
            return await scenario()

    before = _sockets()
    with asyncio.Runner(loop_factory=make_loop) as runner:
        result = runner.run(within_time())
    assert _sockets() <= before
    return result


def _sockets() -> set[str]:
    """Return the sockets that this process has open, as the system names them."""
    with os.scandir("/proc/self/fd") as entries:
        names = {os.readlink(entry) for entry in entries}
    return {name for name in names if name.startswith("socket:")}


def _ask(first: int | str, count: int) -> bytes:
    return f"GET /{first}/{count} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))


@each_loop
@pytest.mark.parametrize("at_once", [True, False], ids=["pipelined", "one by one"])
def test_parts_of_a_file(file: Path, make_loop: Any, at_once: bool) -> None:
    """Each answer on one connection has exactly its part of the file, in the order of the requests."""
    parts = [(0, SIZE), (7, 1), (0, 0), (1 << 20, 3 << 20), (SIZE - 5, 5), (12345, 4 << 20)]

    async def scenario() -> None:
        async with served(file) as (app, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if at_once:
                writer.write(b"".join(_ask(*part) for part in parts))
            for first, count in parts:
                if not at_once:
                    writer.write(_ask(first, count))
                assert await _body(reader) == DATA[first : first + count]
            writer.close()
            await writer.wait_closed()
        assert app.ended == [(count, None) for _, count in parts]

    run(scenario, make_loop)


@each_loop
def test_a_file_after_an_answer_that_waits(file: Path, make_loop: Any) -> None:
    """What the event loop still has to send of an earlier answer comes before the file."""

    async def scenario() -> None:
        async with served(file) as (app, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.pause_reading()
            asked = 0
            while not app.unsent_bytes():
                writer.write(_ask("plain", 10_000))
                asked += 1
                await asyncio.sleep(0)
            writer.write(_ask(1, SIZE - 1))
            writer.transport.resume_reading()
            for _ in range(asked):
                assert await _body(reader) == DATA[:10_000]
            assert await _body(reader) == DATA[1:]
            writer.close()
            await writer.wait_closed()

    run(scenario, make_loop)


def test_a_file_that_is_not_in_memory(file: Path) -> None:
    """What has to come from the disk first is sent all the same."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)

    async def scenario() -> None:
        async with served(file) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ask(0, SIZE))
            assert await _body(reader) == DATA
            writer.close()
            await writer.wait_closed()

    run(scenario)


@each_loop
@pytest.mark.parametrize("pipelined", [0, 2])
def test_a_client_that_goes_away(file: Path, make_loop: Any, pipelined: int) -> None:
    """The sender learns of it, whatever the client asked for besides; nothing of it stays open."""

    async def scenario() -> None:
        async with served(file) as (app, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ask(0, SIZE) * (1 + pipelined))
            await reader.readexactly(100)
            writer.transport.abort()
            while not app.ended:
                await asyncio.sleep(0.001)
        sent, error = app.ended[0]
        assert sent < SIZE
        assert isinstance(error, ConnectionError)

    run(scenario, make_loop)


def test_a_file_that_ends_early(file: Path) -> None:
    """The connection is cut: no client takes a part for the whole."""

    async def scenario() -> bytes:
        async with served(file) as (app, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ask(SIZE - 10, 100))
            got = await reader.read()
            writer.close()
            await writer.wait_closed()
        assert [sent for sent, _ in app.ended] == [10]
        return got

    assert run(scenario).endswith(b"\r\n\r\n" + DATA[-10:])


def test_no_sender_under_tls(file: Path, tmp_path: Path) -> None:
    """The kernel does not encrypt, so a handler has to read the file itself."""
    certificate = make_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)

    async def scenario() -> None:
        async with served(file, tls) as (app, port):
            trust = ssl.create_default_context(cafile=certificate[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
            writer.write(_ask(0, 1))
            await reader.read()
            writer.close()
            await writer.wait_closed()
        assert isinstance(app.ended[0][1], AssertionError)

    run(scenario)


# --- slow clients -------------------------------------------------------------------------------------------


def test_a_client_that_does_not_read_is_cut_off(file: Path) -> None:
    """It holds its connection no longer than any other slow client."""

    async def scenario() -> None:
        async with served(file, rate_window=0.4) as (app, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
            writer.write(_ask(0, SIZE))
            while not app.ended:
                await asyncio.sleep(0.01)
            assert isinstance(app.ended[0][1], ConnectionError)
            writer.close()

    run(scenario)


def test_a_slow_client_that_is_fast_enough_gets_everything(file: Path) -> None:
    """A client above the least rate has its file, though the kernel takes far more at once than it reads meanwhile."""

    async def scenario() -> bytes:
        async with served(file, min_rate=200_000, rate_window=0.2) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 14)
            writer.write(_ask(0, SIZE))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            got = bytearray()
            while len(got) < SIZE:
                got += await reader.readexactly(min(1 << 16, SIZE - len(got)))
                await asyncio.sleep(0.01)
            writer.close()
            await writer.wait_closed()
            return bytes(got)

    assert run(scenario) == DATA


def test_while_a_client_does_not_read_others_are_served(file: Path) -> None:
    """A stalled download takes no thread, and no time of the event loop."""

    async def scenario() -> None:
        async with served(file) as (app, port):
            writers = []
            for _ in range(50):
                _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
                writer.write(_ask(0, SIZE))
                writers.append(writer)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ask(0, SIZE))
            assert await _body(reader) == DATA
            assert app.ended == [(SIZE, None)]
            for each in (*writers, writer):
                each.transport.abort()

    run(scenario)
