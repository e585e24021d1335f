"""Web download against a real server on loopback, which the settings of these tests allow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecl.server.data.web.fetch import FetchError, fetch
from ecl.server.errors import BadRequest, TooLarge
from ecl.server.settings.model import ImportSettings
from support.http_stub import Answer, HttpStub, make_certificate

LOOPBACK = ("127.0.0.1/32",)
DATA = bytes(range(256)) * 5000
ALLOWED = ImportSettings(allowed_ports=(), allowed_networks=LOOPBACK, idle_timeout=10, timeout=30)


@pytest.fixture
def server() -> Iterator[HttpStub]:
    """A server with an image at /image."""
    with HttpStub() as stub:
        stub.on("GET", "/image", Answer.data(DATA))
        yield stub


def _all(uri: str, settings: ImportSettings = ALLOWED, most: int = 1 << 30) -> bytes:
    return b"".join(fetch(uri, settings, most, lambda: False))


def test_bytes_arrive_as_they_are(server: HttpStub) -> None:
    """The whole body arrives; the request asks for no compressed form and has no credentials."""
    assert _all(f"{server.url}/image") == DATA
    assert server.last.headers["host"] == f"127.0.0.1:{server.port}"
    assert server.last.headers["accept-encoding"] == "identity"
    assert "authorization" not in server.last.headers


def test_chunked_bodies_arrive_whole(server: HttpStub) -> None:
    """A server that does not say how much will come is read to its end."""
    server.on("GET", "/chunked", Answer.data(DATA, chunked=True))

    assert _all(f"{server.url}/chunked") == DATA


def test_loopback_is_refused_unless_allowed(server: HttpStub) -> None:
    """With the default settings nothing on this machine is asked."""
    with pytest.raises(BadRequest):
        _all(f"{server.url}/image", ImportSettings(allowed_ports=()))
    assert server.requests == []


def test_addresses_that_do_not_answer_take_no_longer_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may have many addresses: once the time is over, the next one is not tried."""
    clock, tried = [0.0], []

    def connect(address: tuple[str, int], timeout: float) -> None:
        tried.append(timeout)
        clock[0] += timeout
        raise TimeoutError

    monkeypatch.setattr("ecl.server.data.web.fetch.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("ecl.server.data.web.fetch.socket.create_connection", connect)
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"8.8.8.{last}", 80)) for last in range(1, 9)]
    monkeypatch.setattr("ecl.server.data.web.addresses.socket.getaddrinfo", lambda *_, **__: addresses)

    with pytest.raises(FetchError, match="longer than 30 seconds"):
        _all("http://images.example/image", ImportSettings(allowed_ports=(), idle_timeout=20, timeout=30))

    assert tried == [20, 10]


def test_no_proxy_of_the_environment_is_used(server: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked is what is connected to: http_proxy has no say."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert _all(f"{server.url}/image") == DATA


def test_the_checked_address_is_the_one_connected_to(server: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved once for each hop: a second, different answer never counts."""
    answers = iter(["127.0.0.1"])
    asked: list[str] = []
    original = socket.getaddrinfo

    def changing(host: str, port: int, *args: object, **options: object) -> object:
        if host != "rebinding.example":
            return original(host, port, *args, **options)  # type: ignore[arg-type]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)

    assert _all(f"http://rebinding.example:{server.port}/image") == DATA
    assert asked == ["rebinding.example"]
    assert server.last.headers["host"] == f"rebinding.example:{server.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server: HttpStub, status: int) -> None:
    """Relative or absolute, a redirect to an allowed address is followed."""
    server.on("GET", "/old", Answer(status, headers={"Location": "/image"}))

    assert _all(f"{server.url}/old") == DATA


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "http://2130706433/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "//10.0.0.1/x",
    ],
)
def test_redirects_to_refused_addresses_are_not_followed(server: HttpStub, location: str) -> None:
    """Each hop is checked as the first one was."""
    server.on("GET", "/old", Answer(302, headers={"Location": location}))

    with pytest.raises(BadRequest):
        _all(f"{server.url}/old")
    assert len(server.requests) == 1


def test_redirects_end_somewhere(server: HttpStub) -> None:
    """A circle of redirects is left after max_redirects."""
    server.on("GET", "/circle", Answer(302, headers={"Location": "/circle"}))

    with pytest.raises(FetchError, match="more than 5 times"):
        _all(f"{server.url}/circle")
    assert len(server.requests) == 6


def test_size_is_limited_by_what_the_server_says(server: HttpStub) -> None:
    """A Content-Length beyond the limit ends the download before a byte of it is taken."""
    with pytest.raises(TooLarge):
        next(fetch(f"{server.url}/image", ALLOWED, len(DATA) - 1, lambda: False))
    assert _all(f"{server.url}/image", most=len(DATA)) == DATA


def test_size_is_limited_by_what_comes(server: HttpStub) -> None:
    """A server that does not say how much will come is stopped at the limit."""
    server.on("GET", "/chunked", Answer.data(DATA, chunked=True))

    with pytest.raises(TooLarge):
        _all(f"{server.url}/chunked", most=len(DATA) - 1)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_cut_short_is_an_error(server: HttpStub, chunked: bool) -> None:
    """Half of the bytes are no image."""
    server.on("GET", "/half", Answer.data(DATA, chunked=chunked, cut=len(DATA) // 2))

    with pytest.raises(FetchError):
        _all(f"{server.url}/half")


@pytest.mark.parametrize("status", [204, 206, 401, 404, 500])
def test_other_statuses_are_errors(server: HttpStub, status: int) -> None:
    """Only 200 brings an image."""
    server.on("GET", "/bad", Answer(status))

    with pytest.raises(FetchError, match=str(status)):
        _all(f"{server.url}/bad")


def test_nobody_there() -> None:
    """A refused connection names the host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError, match=r"127\.0\.0\.1 does not answer"):
        _all(f"http://127.0.0.1:{port}/")


@contextmanager
def _dripping(first: bytes) -> Iterator[str]:
    """A server that sends *first* and then a byte now and then, for ever."""
    done = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(first)
            try:
                while not done.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_dripping_server_is_left_in_time(first: bytes) -> None:
    """The whole download has a time limit, in its headers as well as in its body."""
    settings = ImportSettings(allowed_ports=(), allowed_networks=LOOPBACK, timeout=1)
    with _dripping(first) as uri, pytest.raises(FetchError, match="longer than 1 seconds"):
        _all(uri, settings)


def test_a_silent_server_is_left_in_time() -> None:
    """So has each silence."""
    settings = ImportSettings(allowed_ports=(), allowed_networks=LOOPBACK, idle_timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(FetchError, match="did not answer"):
        _all(f"http://127.0.0.1:{listener.getsockname()[1]}/", settings)


def test_certificates_are_checked(tmp_path: Path) -> None:
    """A certificate that nobody trusts ends the download."""
    with HttpStub(make_certificate(tmp_path)) as stub:
        stub.on("GET", "/image", Answer.data(DATA))
        with pytest.raises(FetchError, match="certificate"):
            _all(f"{stub.url}/image")


def test_stopping_ends_the_download(server: HttpStub) -> None:
    """A service that is about to end does not wait for the rest."""
    assert list(fetch(f"{server.url}/image", ALLOWED, 1 << 30, lambda: True)) == []
