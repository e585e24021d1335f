"""The async SDK on a scripted HTTP server, under asyncio and trio."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import anyio
import anyio.to_thread
import pytest

import ecl
import ecl.aio
from support.http_stub import Answer, HttpStub, Request

Opener = Callable[..., ecl.aio.Connection]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each test runs by both."""
    name: str = request.param
    return name


@pytest.fixture
def opener(stub: HttpStub) -> Opener:
    """Makes a connection whose image service is the stub; it sends no token."""

    def open_connection(**options: object) -> ecl.aio.Connection:
        return ecl.aio.connect(auth_type="none", endpoint=stub.url, **options)

    return open_connection


class Silence:
    """An answer that does not come before the test has ended."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self.over = threading.Event()

    def __call__(self, request: Request) -> Answer:
        self._reached.set()
        self.over.wait()
        return Answer.drop()

    async def reached(self) -> None:
        """Return when the request has come."""
        await anyio.to_thread.run_sync(self._reached.wait)


@pytest.fixture
def silence(stub: HttpStub) -> Iterator[Silence]:
    """An answer that does not come."""
    made = Silence()
    yield made
    made.over.set()
