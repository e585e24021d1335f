"""Clouds for the suites of clients: each is started once in a session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from clouds import Cloud, EmbeddedCloud, NewImage, run_embedded_cloud, run_glance_cloud
from glance_backend import glance_is_installed
from stock import DISK

from ecl.exceptions import ResourceNotFound
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from support.http_stub import Answer, HttpStub


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedCloud]:
    """The embedded service."""
    with run_embedded_cloud() as running:
        yield running


@pytest.fixture(scope="session")
def glance() -> Iterator[Cloud]:
    """A real Glance."""
    if not glance_is_installed():
        pytest.skip("no Glance in .venvs (scripts/test-inputs)")
    with run_glance_cloud() as running:
        yield running


@pytest.fixture(scope="session", params=["embedded", "glance"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """The embedded service, then a real Glance."""
    running: Cloud = request.getfixturevalue(request.param)
    return running


@pytest.fixture(scope="session")
def image_server() -> Iterator[HttpStub]:
    """A server with an image of 50,000 bytes at /image, and nothing at /missing."""
    with HttpStub() as stub:
        for method in ("GET", "HEAD"):
            stub.on(method, "/image", Answer.data(b"0123456789" * 5000))
            stub.on(method, "/missing", Answer(404))
        yield stub


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A file for commands to upload."""
    path = tmp_path / "disk.raw"
    path.write_bytes(DISK)
    return path


@pytest.fixture
def proxy(cloud: Cloud) -> Proxy:
    """The image service of the cloud, as a plain member of a project."""
    return cloud.connect()


@pytest.fixture
def new_image(proxy: Proxy) -> Iterator[NewImage]:
    """create_image(), and deletion of what it made after the test."""
    made: list[str] = []

    def create(**attrs: object) -> Image:
        image = proxy.create_image(**attrs)
        made.append(image.id)
        return image

    yield create
    for image_id in made:
        with contextlib.suppress(ResourceNotFound):
            if proxy.get_image(image_id).protected:
                proxy.update_image(image_id, [{"op": "replace", "path": "/protected", "value": False}])
            proxy.delete_image(image_id)
