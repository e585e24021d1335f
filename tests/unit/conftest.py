"""What unit tests share: a scripted HTTP server, and a connection to it that needs no log-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

import ecl
from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy
from support.direct import direct_proxy
from support.http_stub import HttpStub


@pytest.fixture(scope="session")
def _server() -> Iterator[HttpStub]:
    """One HTTP server for all tests."""
    with HttpStub() as server:
        yield server


@pytest.fixture
def stub(_server: HttpStub) -> Iterator[HttpStub]:
    """An HTTP server that answers what the test scripts; a request that was not scripted fails the test."""
    _server.reset()
    yield _server
    assert _server.unexpected == []
    _server.reset()


@pytest.fixture
def conn(stub: HttpStub) -> Connection:
    """A connection whose image service is the stub; it sends no token."""
    return ecl.connect(auth_type="none", endpoint=stub.url)


@pytest.fixture
def proxy(conn: Connection) -> Proxy:
    """The image service at the stub."""
    return conn.image


@pytest.fixture(params=["keystoneauth1", "direct"])
def reach(request: pytest.FixtureRequest) -> Iterator[Callable[..., Proxy]]:
    """The image service at an address: by a session of keystoneauth1, and by one that does without it."""

    made: list[Proxy] = []

    def connect(url: str, **options: object) -> Proxy:
        if request.param == "direct":
            made.append(direct_proxy(url, **options))
            return made[-1]
        return ecl.connect(auth_type="none", endpoint=url, **options).image

    yield connect
    for each in made:
        each.session.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each pause that the library would have made; it makes none of them."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    # A pause that somebody may end does not sleep.
    monkeypatch.setattr("ecl._http.retry._sleep", lambda seconds, over: made.append(seconds))
    return made
