"""An answer that is not image data has bounds: bytes, and seconds from its first byte to its last."""

from __future__ import annotations

import gzip
import itertools
import logging
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import _http, exceptions
from ecl._http import bounds
from ecl.image.image_service import ImageService
from ecl.image.v2._proxy import Proxy
from support.direct import direct_proxy
from support.http_stub import Answer, Keystone

JSON = {"Content-Type": "application/json"}
PADDING = b" " * (1 << 20)


def endless(status=200):
    """A list that never ends."""
    return Answer(status, b'{"images": [', headers=dict(JSON), blocks=itertools.repeat(PADDING))


@pytest.fixture(params=["own", "keystoneauth1", "direct"])
def proxy(request, stub):
    """The SDK on its own session, on one of keystoneauth1, and on one that does without it."""
    if request.param == "own":
        yield ecl.connect(auth_type="none", endpoint=stub.url).image
    elif request.param == "keystoneauth1":
        yield Proxy(KeystoneSession(auth=NoAuth(endpoint=stub.url)))
    else:
        made = direct_proxy(stub.url)
        yield made
        made.session.close()


class Drip:
    """Bytes one by one: the second one comes when the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"["
        self.over.wait(60)
        yield b"]"


@pytest.fixture
def drip() -> Iterator[Drip]:
    """A body of two bytes that is held back after the first."""
    slow = Drip()
    yield slow
    slow.over.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow no time for the rest of an answer."""
    monkeypatch.setattr(bounds, "SECONDS", 0.0)


def test_an_endless_list_is_cut_off(proxy, stub):
    """A list that does not end is an error that names address, bound and remedy, and memory stays near the bound."""
    stub.on("GET", "/v2/images", endless())
    tracemalloc.start()
    try:
        with pytest.raises(exceptions.InvalidResponse) as caught:
            list(proxy.images())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert f"The answer of {stub.url}/v2/images" in str(caught.value)
    assert "is longer than 64 MiB" in str(caught.value)
    assert "(limit)" in str(caught.value)
    assert peak < 1.2 * bounds.MOST_BYTES
    assert len(stub.requests) == 1


def test_a_declared_length_is_believed(proxy, stub):
    """An answer that says itself that it is too long is not read."""
    stub.on("GET", "/v2/images/abc", Answer(200, PADDING * 65, headers=dict(JSON)))
    tracemalloc.start()
    try:
        with pytest.raises(exceptions.InvalidResponse, match="longer than 64 MiB"):
            proxy.get_image("abc")
        # The stub's own copy was made before.
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_the_bound_counts_what_comes_out_of_gzip(proxy, stub):
    """64 MiB are those of the decoded answer: a small one that swells is cut off."""
    bomb = gzip.compress(b'{"images": [' + PADDING * 65, compresslevel=1)
    assert len(bomb) < 1 << 20
    stub.on("GET", "/v2/images", Answer(200, bomb, headers={**JSON, "Content-Encoding": "gzip"}))

    with pytest.raises(exceptions.InvalidResponse, match="longer than 64 MiB"):
        list(proxy.images())


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("encoded", [False, True])
def test_an_answer_at_the_bound_is_whole(encoded, chunked, proxy, stub, monkeypatch):
    """An answer of just as many bytes as are read is read, however it was sent."""
    body = b'{"id": "abc", "name": "debian"}'
    monkeypatch.setattr(bounds, "MOST_BYTES", len(body))
    headers = {**JSON, "Content-Encoding": "gzip"} if encoded else dict(JSON)
    sent = gzip.compress(body) if encoded else body
    # A gzip of so few bytes is longer than they are: only what was decoded counts, so no length is declared.
    stub.on("GET", "/v2/images/abc", Answer(200, sent, headers=headers, chunked=chunked or encoded))
    assert proxy.get_image("abc").name == "debian"

    monkeypatch.setattr(bounds, "MOST_BYTES", len(body) - 1)
    with pytest.raises(exceptions.InvalidResponse, match="longer than"):
        proxy.get_image("abc")


@pytest.mark.parametrize("status", [404, 500])
def test_an_endless_error_is_that_error(status, proxy, stub):
    """Of an error the status counts: its body is read as far as it may be useful, and no further."""
    stub.on("GET", "/v2/images/abc", endless(status))
    with pytest.raises(exceptions.HttpException) as caught:
        proxy.get_image("abc")

    assert caught.value.http_status == status
    assert len(caught.value.response.content) <= bounds.MOST_ERROR_BYTES


def test_an_endless_error_of_a_download(proxy, stub, tmp_path):
    """The same for the error that comes instead of image data."""
    image = {"id": "abc", "name": "debian", "status": "active", "size": 3, "checksum": None}
    stub.on("GET", "/v2/images/abc", Answer.json(image))
    stub.on("GET", "/v2/images/abc/file", endless(403))
    with pytest.raises(exceptions.ForbiddenException):
        proxy.download_image("abc", output=tmp_path / "x")


def test_a_dripping_answer_is_cut_off(impatient, proxy, stub, drip, pauses):
    """An answer that comes byte by byte ends with its deadline, once: it is not asked for again."""
    stub.on("GET", "/v2/images/abc", Answer(200, headers=dict(JSON), blocks=drip))
    with pytest.raises(exceptions.ConnectFailure) as caught:
        proxy.get_image("abc")

    assert f"The answer of {stub.url}/v2/images/abc did not end within 0 seconds" in str(caught.value)
    assert "timeout" in str(caught.value)
    assert len(stub.requests) == 1


def test_a_dripping_error_is_that_error(impatient, proxy, stub, drip):
    """An error whose body comes byte by byte is raised with what has come."""
    stub.on("GET", "/v2/images/abc", Answer(404, b"no such image", blocks=drip))
    with pytest.raises(exceptions.NotFoundException, match="no such image"):
        proxy.get_image("abc")


@pytest.mark.parametrize("timeout", [0, 60])
def test_a_longer_timeout_is_a_longer_deadline(timeout, reach, stub, drip, impatient):
    """The session's own time-out counts where it is longer; 0 waits for the end of an answer, too."""
    stub.on("GET", "/v2/images/abc", Answer(200, b'{"id": "abc", "tags": ', headers=dict(JSON), blocks=Rest(drip)))
    drip.over.set()

    assert reach(stub.url, timeout=timeout).get_image("abc").tags == []


class Rest:
    """What *drip* sends, and the brace that ends an object."""

    def __init__(self, drip: Drip) -> None:
        self._drip = drip

    def __iter__(self) -> Iterator[bytes]:
        yield from self._drip
        yield b"}"


def test_a_dripping_login_is_cut_off(stub, drip, monkeypatch):
    """A token that comes byte by byte ends with its deadline."""
    keystone = Keystone(stub)

    def answer(request):
        monkeypatch.setattr(bounds, "SECONDS", 0.0)
        return Answer(201, headers={"X-Subject-Token": "t", **JSON}, blocks=drip)

    stub.on("POST", "/v3/auth/tokens", answer)
    with pytest.raises(exceptions.ConnectFailure, match=f"The answer of {stub.url}/v3/auth/tokens did not end"):
        ecl.connect(**keystone.options()).authorize()


def test_an_endless_login_is_cut_off(stub):
    """A token that does not end is an error that names Keystone's address."""
    keystone = Keystone(stub)
    stub.on("POST", "/v3/auth/tokens", Answer(201, b'{"token": ', headers=dict(JSON), blocks=itertools.repeat(PADDING)))
    with pytest.raises(exceptions.InvalidResponse, match=f"The answer of {stub.url}/v3/auth/tokens is longer"):
        ecl.connect(**keystone.options()).authorize()


def test_bounds_hold_while_bodies_are_logged(proxy, stub, caplog):
    """With keystoneauth1's log of bodies on, which reads them, the bound is the same."""
    caplog.set_level(logging.DEBUG, "keystoneauth")
    stub.on("GET", "/v2/images", endless())
    with pytest.raises(exceptions.InvalidResponse, match="longer than 64 MiB"):
        list(proxy.images())


def test_hooks_of_the_session_still_run(stub):
    """What a caller hooked into the session of requests sees each answer, with its body."""
    seen = []
    session = KeystoneSession(auth=NoAuth(endpoint=stub.url))
    session.session.hooks["response"].append(lambda response, **kwargs: seen.append(response.content))
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc"}))
    Proxy(session).get_image("abc")

    assert seen == [b'{"id": "abc"}']


@pytest.mark.parametrize("chunked", [False, True])
def test_connections_are_used_again(chunked, proxy, stub):
    """An answer that was read to its end leaves its connection open for the next, an error as well."""
    found = Answer(200, b'{"id": "abc"}', headers=dict(JSON), chunked=chunked)
    missing = Answer(404, b'{"message": "no"}', headers=dict(JSON), chunked=chunked)
    stub.on("GET", "/v2/images/abc", found, missing, found)
    proxy.get_image("abc")
    with pytest.raises(exceptions.NotFoundException):
        proxy.get_image("abc")
    proxy.get_image("abc")

    assert len({request.port for request in stub.requests}) == 1


def test_small_chunks_take_no_more_memory(proxy, stub, monkeypatch):
    """Memory is that of the bytes, however few of them come at a time."""
    monkeypatch.setattr(bounds, "MOST_BYTES", 1 << 15)
    stub.on("GET", "/v2/images", Answer(200, headers=dict(JSON), blocks=itertools.repeat(b"[ ")))
    # What is imported late is no matter of this answer.
    with pytest.raises(exceptions.InvalidResponse):
        list(proxy.images())
    tracemalloc.start()
    try:
        with pytest.raises(exceptions.InvalidResponse, match="is longer than"):
            list(proxy.images())
        assert tracemalloc.get_traced_memory()[1] < 12 * bounds.MOST_BYTES
    finally:
        tracemalloc.stop()


def test_a_head_has_no_body(proxy, stub):
    """The length that a HEAD tells is that of what it does not send."""
    stub.on("HEAD", "/v2/images/abc", Answer(200, PADDING * 65))
    session = proxy.session

    assert _http.request(session, "HEAD", "/v2/images/abc", service=ImageService()).status_code == 200
