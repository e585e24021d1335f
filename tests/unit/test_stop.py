"""Calls that another thread ends: at once, whatever they wait for, and with nothing half-made left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import ecl
from ecl import _http
from ecl._http.stop import Interrupted, Stop
from ecl._http.stoppable import StoppableAdapter
from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from support.http_stub import Answer, HttpStub, Request, make_certificate
from support.upload_stub import DATA, IMAGE, described

#: Longer than any test may last: whoever waits for so long was not ended.
FOR_EVER = 10_000


class Silence:
    """An answer that does not come before the test has ended."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.over = threading.Event()

    def __call__(self, request: Request) -> Answer:
        self.reached.set()
        self.over.wait()
        return Answer.drop()


class Call:
    """A call in a thread of its own."""

    def __init__(self, function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        self.stop = Stop(Interrupted)
        self.result: object = None
        self._call = lambda: function(*args, **kwargs)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self.stop.active():
            try:
                self.result = self._call()
            except BaseException as exc:
                self.result = exc

    def stopped(self) -> object:
        """Stop the call, and return how it ended."""
        self.stop.stop()
        return self.ended()

    def ended(self) -> object:
        """Return what the call returned or raised."""
        self._thread.join()
        return self.result


def stoppable(conn: Connection) -> Connection:
    """Return *conn*, with connections that can be ended."""
    for prefix in ("http://", "https://"):
        conn.session.session.mount(prefix, StoppableAdapter())
    return conn


@pytest.fixture
def proxy(conn: Connection) -> Iterator[Proxy]:
    """The image service at the stub, over connections that can be ended."""
    with stoppable(conn):
        yield conn.image


@pytest.fixture
def silence(stub: HttpStub) -> Iterator[Silence]:
    """An answer that does not come."""
    made = Silence()
    yield made
    made.over.set()


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield an address where connections are taken, and nothing is read or said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_request_without_an_answer(stub: HttpStub, proxy: Proxy, silence: Silence) -> None:
    """It ends though the service says nothing, and is not sent again."""
    stub.on("GET", "/v2/images/abc", silence)
    call = Call(proxy.get_image, "abc")
    silence.reached.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert stub.lines == ["GET /v2/images/abc"]


def test_a_request_over_a_kept_connection(stub: HttpStub, proxy: Proxy, silence: Silence) -> None:
    """A connection that another call made before can be ended as well."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE), silence)
    proxy.get_image("abc")
    call = Call(proxy.get_image, "abc")
    silence.reached.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert len({request.port for request in stub.requests}) == 1


def test_a_body_that_nobody_reads() -> None:
    """An upload ends though the service takes no byte more."""
    begun = threading.Event()

    def blocks() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 20)
            begun.set()

    with silent_server() as address, stoppable(ecl.connect(auth_type="none", endpoint=f"http://{address}")) as conn:
        call = Call(_http.request, conn.session, "PUT", "/v2/images/abc/file", service=Image.service, data=blocks())
        begun.wait()

        assert isinstance(call.stopped(), Interrupted)


def test_a_service_that_does_not_begin_with_tls() -> None:
    """A handshake without an answer ends."""
    with silent_server() as address, stoppable(ecl.connect(auth_type="none", endpoint=f"https://{address}")) as conn:
        call = Call(conn.image.get_image, "abc")

        assert isinstance(call.stopped(), Interrupted)


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can end a look-up, so it is not awaited."""
    asked, over, left = threading.Event(), threading.Event(), threading.Event()

    def getaddrinfo(*args: object) -> list[Any]:
        asked.set()
        over.wait()
        left.set()
        raise socket.gaierror("it took too long")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with stoppable(ecl.connect(auth_type="none", endpoint="http://image.test")) as conn:
        call = Call(conn.image.get_image, "abc")
        asked.wait()

        assert isinstance(call.stopped(), Interrupted)
    over.set()
    left.wait()


def test_a_wait(stub: HttpStub, proxy: Proxy) -> None:
    """A pause between two polls ends."""
    read = threading.Event()

    def image(request: Request) -> Answer:
        read.set()
        return Answer.json(IMAGE)

    stub.on("GET", "/v2/images/abc", image)
    call = Call(proxy.wait_for_status, Image.existing(id="abc", status="queued"), "active", (), FOR_EVER, FOR_EVER)
    read.wait()

    assert isinstance(call.stopped(), Interrupted)


def test_a_pause_before_the_next_attempt(stub: HttpStub, proxy: Proxy) -> None:
    """A service that is busy for long is not waited for."""
    busy = threading.Event()

    def refuse(request: Request) -> Answer:
        busy.set()
        return Answer.json({}, 503, Retry_After="60")

    stub.on("GET", "/v2/images/abc", refuse)
    call = Call(proxy.get_image, "abc")
    busy.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert len(stub.lines) == 1


def test_a_limit_of_the_speed(stub: HttpStub, proxy: Proxy) -> None:
    """A transfer ends that waits because it is too fast."""
    begun = threading.Event()
    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", Answer.data(DATA))

    def progress(done: int, total: int | None) -> None:
        begun.set()

    call = Call(proxy.download_image, "abc", max_bandwidth=1, progress=progress)
    begun.wait()

    assert isinstance(call.stopped(), Interrupted)


def test_an_image_without_its_data_is_deleted(stub: HttpStub, proxy: Proxy, silence: Silence) -> None:
    """create_image() that is ended leaves no image: the request to delete it is not stopped."""
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    stub.on("PUT", "/v2/images/abc/file", silence)
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    call = Call(proxy.create_image, name="disk", disk_format="raw", data=DATA)
    silence.reached.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert stub.last.line == "DELETE /v2/images/abc"


def test_many_uploads_at_once(stub: HttpStub, proxy: Proxy, silence: Silence) -> None:
    """upload_images() ends with all of its threads, and leaves no image."""
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    stub.on("PUT", "/v2/images/abc/file", silence)
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    images = [{"name": f"disk {number}", "disk_format": "raw", "data": DATA} for number in range(2)]
    call = Call(proxy.upload_images, images, workers=1)
    silence.reached.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert [line for line in stub.lines if not line.startswith("PUT")] == ["POST /v2/images", "DELETE /v2/images/abc"]


@pytest.mark.parametrize("connections", [None, 3])
def test_a_download_to_a_path(
    stub: HttpStub, proxy: Proxy, silence: Silence, tmp_path: Path, connections: int | None
) -> None:
    """A download ends without an answer to its requests; no file gets the name."""
    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", silence)
    call = Call(proxy.download_image, "abc", output=tmp_path / "disk", connections=connections)
    silence.reached.wait()

    assert isinstance(call.stopped(), Interrupted)
    assert not (tmp_path / "disk").exists()


def test_a_body_that_does_not_go_on(stub: HttpStub, proxy: Proxy) -> None:
    """A download into memory ends in the middle of the data."""
    over = threading.Event()
    begun = threading.Event()

    def blocks() -> Iterator[bytes]:
        yield DATA[:-1]
        begun.set()
        over.wait()

    stub.on("GET", "/v2/images/abc", Answer.json(described()))
    stub.on("GET", "/v2/images/abc/file", Answer.data(b"", blocks=blocks()))
    call = Call(proxy.download_image, "abc")
    begun.wait()

    assert isinstance(call.stopped(), Interrupted)
    over.set()


def test_other_calls_go_on(stub: HttpStub, proxy: Proxy, silence: Silence) -> None:
    """A connection belongs to the call that uses it now: what ended before and is stopped late ends no other one."""
    answer = threading.Event()
    reached = threading.Event()

    def late(request: Request) -> Answer:
        reached.set()
        answer.wait()
        return Answer.json(IMAGE)

    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE), late)
    first = Call(proxy.get_image, "abc")
    first.ended()
    second = Call(proxy.get_image, "abc")
    reached.wait()
    first.stop.stop()
    answer.set()

    assert isinstance(second.ended(), Image)
    assert len({request.port for request in stub.requests}) == 1


def test_an_idle_connection_that_was_shut(stub: HttpStub, proxy: Proxy) -> None:
    """A request that must not be repeated does not meet the connection of a call that was stopped."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    first = Call(proxy.get_image, "abc")
    first.ended()
    first.stop.stop()

    assert proxy.create_image(name="disk").id == "abc"
    assert len({request.port for request in stub.requests}) == 2


def test_a_call_that_was_stopped_sends_nothing(stub: HttpStub, proxy: Proxy) -> None:
    """A call whose stop came first does not begin."""
    stop = Stop(Interrupted)
    stop.stop()

    with stop.active(), pytest.raises(Interrupted):
        proxy.get_image("abc")
    assert stub.requests == []


def test_an_answer_over_tls_that_does_not_go_on(tmp_path: Path) -> None:
    """A connection with TLS ends as one without does, in the middle of an answer."""
    over, begun = threading.Event(), threading.Event()

    def blocks() -> Iterator[bytes]:
        yield DATA[:-1]
        begun.set()
        over.wait()

    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        stub.on("GET", "/v2/images/abc", Answer.json(described()))
        stub.on("GET", "/v2/images/abc/file", Answer.data(b"", blocks=blocks()))
        with stoppable(ecl.connect(auth_type="none", endpoint=stub.url, verify=str(certificate[0]))) as conn:
            call = Call(conn.image.download_image, "abc")
            begun.wait()

            assert isinstance(call.stopped(), Interrupted)
        over.set()
