"""Uploads behind a balancer that answers 504 while the service still stores what it got."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ecl
from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.balancer import HAPROXY, Balancer
from support.http_stub import Answer, HttpStub, Request
from support.upload_stub import DATA, IMAGE, described

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed: scripts/test-inputs installs it")

#: Milliseconds that the balancer waits for the service, and seconds that the client waits for an outcome.
BALANCER_WAIT_MS = 300
CLIENT_WAIT = 2.0
PATH = "/v2/images/abc"


class SlowStore:
    """A service whose store needs until the image was looked at a number of times after the body had come."""

    def __init__(self, stub: HttpStub, while_storing: str, looks: int | None, ends: str = "active") -> None:
        """
        Script *stub*.

        Args:
            while_storing: The image's status in that time.
            looks: Looks at the image after which the store is done; 0: before the answer. None: it never is.
            ends: The image's status then.
        """
        self._lock = threading.Lock()
        self._while_storing = while_storing
        self._looks = looks
        self._ends = ends
        self._status = "queued"
        self._is_storing = False
        #: The store is done.
        self.done = threading.Event()
        #: Bodies that came.
        self.bodies: list[bytes] = []
        stub.on("GET", PATH, self._describe)
        stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
        stub.on("PUT", f"{PATH}/file", self.take)
        stub.on("DELETE", PATH, Answer(204))

    def take(self, request: Request) -> Answer:
        """Store a body; answer when that is done."""
        with self._lock:
            self.bodies.append(request.body)
            self._status, self._is_storing = self._while_storing, True
            if self._looks == 0:
                self._end()
        self.done.wait(30)
        return Answer(204)

    def _describe(self, request: Request) -> Answer:
        with self._lock:
            # The look that ends the store still sees it at work.
            seen = self._status
            if self._is_storing and self._looks is not None:
                self._looks -= 1
                if self._looks <= 0:
                    self._end()
        return Answer.json(described() if seen == "active" else {**IMAGE, "status": seen})

    def _end(self) -> None:
        self._status, self._is_storing = self._ends, False
        self.done.set()


@pytest.fixture(scope="module")
def server() -> Iterator[HttpStub]:
    """The service behind the balancer."""
    with HttpStub() as running:
        yield running


@pytest.fixture
def stub(server: HttpStub) -> HttpStub:
    """The service, without a script."""
    server.reset()
    return server


@pytest.fixture(params=[False, True], ids=["streaming", "buffering"], scope="module")
def balancer(request: Any, server: HttpStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balancer]:
    """haproxy, of both kinds."""
    folder: Path = tmp_path_factory.mktemp("haproxy")
    with Balancer(folder, server.port, wait_ms=BALANCER_WAIT_MS, buffers=request.param) as running:
        yield running


@pytest.fixture
def images(balancer: Balancer) -> Proxy:
    """The image service, behind the balancer."""
    return ecl.connect(auth_type="none", endpoint=balancer.url, timeout=CLIENT_WAIT).image


def changes(stub: HttpStub) -> list[str]:
    """The requests that change something."""
    return [request.line for request in stub.requests if request.method != "GET"]


CREATED = ["POST /v2/images", f"PUT {PATH}/file"]


def test_store_is_faster(images: Proxy, stub: HttpStub) -> None:
    """A store that answers in time is no case for any of this."""
    SlowStore(stub, "saving", looks=0)

    assert images.create_image(data=DATA).image_status == "active"
    assert changes(stub) == CREATED


@pytest.mark.parametrize("while_storing", ["saving", "queued"])
def test_store_is_slower(while_storing: str, images: Proxy, stub: HttpStub) -> None:
    """After a 504 the outcome is waited for: the image becomes active, and its data was sent once."""
    store = SlowStore(stub, while_storing, looks=2)
    image = images.create_image(data=DATA)

    assert (image.image_status, image.checksum) == ("active", hashlib.md5(DATA).hexdigest())
    assert store.bodies == [DATA]
    assert changes(stub) == CREATED


@pytest.mark.parametrize("while_storing", ["saving", "queued"])
def test_source_that_is_read_once(while_storing: str, images: Proxy, stub: HttpStub) -> None:
    """The same for data that could not be sent again."""
    SlowStore(stub, while_storing, looks=2)

    assert images.upload_image("abc", iter([DATA])).image_status == "active"


@pytest.mark.parametrize("while_storing", ["saving", "queued"])
def test_store_takes_too_long(while_storing: str, images: Proxy, stub: HttpStub) -> None:
    """If the outcome is not known in time, the 504 is raised; the image is named, and not deleted."""
    store = SlowStore(stub, while_storing, looks=None)
    with pytest.raises(exceptions.ServerException) as caught:
        images.create_image(data=DATA)
    store.done.set()

    assert caught.value.http_status == 504
    assert caught.value.may_be_stored
    assert "504" in str(caught.value)
    assert f"Image abc is {while_storing} after all its data was sent" in str(caught.value)
    assert caught.value.__notes__ == ["Image abc was not deleted."]
    assert store.bodies == [DATA]
    assert changes(stub) == CREATED


def test_store_gives_up(images: Proxy, stub: HttpStub) -> None:
    """A service that stored, and is queued again, has given up: the data is sent again."""
    store = SlowStore(stub, "saving", looks=1, ends="queued")
    stub.on("PUT", f"{PATH}/file", store.take, Answer(500, b"no room"))
    with pytest.raises(exceptions.ServerException, match="no room"):
        images.create_image(data=DATA)

    assert changes(stub) == [*CREATED, f"PUT {PATH}/file", f"DELETE {PATH}"]


def test_service_cannot_be_asked(images: Proxy, stub: HttpStub) -> None:
    """An answer that says nothing about the image, while its outcome is waited for, deletes nothing."""
    store = SlowStore(stub, "saving", looks=None)
    stub.on("GET", PATH, Answer(403, b"token is gone"))
    with pytest.raises(exceptions.ServerException) as caught:
        images.create_image(data=DATA)
    store.done.set()

    assert caught.value.http_status == 504
    assert caught.value.may_be_stored
    assert changes(stub) == CREATED
