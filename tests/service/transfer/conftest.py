"""A service with two regions, and a bad network in front of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support.faulty_proxy import FaultyProxy
from support.transfers import DATA, NewImage


@pytest.fixture(scope="package")
def service() -> Iterator[ImageService]:
    """A running service that all tests here share; none of them relies on what it holds."""
    with ImageService(("jp1", "jp2")) as running:
        yield running


@pytest.fixture(scope="package")
def token(service: ImageService) -> str:
    """A token of the user demo in jp1."""
    token = service.connect().authorize()
    assert token is not None
    return token


@pytest.fixture
def direct(service: ImageService) -> Proxy:
    """The image service of jp1, on a good network."""
    return service.connect().image


@pytest.fixture
def link(service: ImageService) -> Iterator[FaultyProxy]:
    """The network between the tests and the service."""
    with FaultyProxy(service.url) as proxy:
        yield proxy


@pytest.fixture
def behind(service: ImageService, link: FaultyProxy) -> Proxy:
    """The image service of jp1, behind the link."""
    return service.connect(endpoint_overrides={"image": f"{link.url}/image/jp1"}).image


@pytest.fixture
def new_image(direct: Proxy) -> Iterator[NewImage]:
    """create_image() of raw images, which are deleted after the test."""
    made: list[str] = []

    def create(data: object = None, **attrs: object) -> Any:
        wanted = {"disk_format": "raw", "container_format": "bare", **attrs}
        image = direct.create_image(data=data, **wanted)
        made.append(image.id or "")
        return image

    yield create
    for image_id in made:
        direct.delete_image(image_id, ignore_missing=True)


@pytest.fixture(scope="package")
def shared_id(service: ImageService) -> Iterator[str]:
    """The ID of an active image with DATA, which no test changes."""
    proxy = service.connect().image
    image = proxy.create_image(name="shared", data=DATA)
    yield image.id or ""
    proxy.delete_image(image)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each pause that the library would have made; it makes very short ones instead."""
    made: list[float] = []
    sleep = time.sleep

    def nap(seconds: float) -> None:
        made.append(seconds)
        sleep(min(seconds, 0.01))

    def wait(seconds: float, over: threading.Event | None) -> None:
        if over is None:
            nap(seconds)
        else:
            made.append(seconds)
            over.wait(min(seconds, 0.01))

    monkeypatch.setattr("ecl._http.retry.time.sleep", nap)
    monkeypatch.setattr("ecl._http.retry._sleep", wait)
    return made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the image is to be."""
    return tmp_path / "disk.raw"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges and records of 1 MiB, so that small images have several."""
    monkeypatch.setattr("ecl.image._transfer.fetch.PART", 1 << 20)
    monkeypatch.setattr("ecl.image._transfer.part.RECORD_EVERY", 1 << 20)
