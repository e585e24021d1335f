"""Imports go on after a SIGKILL at any moment, and end as they would have ended."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.server.data.store.marker import NAME as MARKER
from ecl.testing import ImageService
from support.breaking_service import MOMENTS
from support.http_stub import Answer, HttpStub

DATA = os.urandom(3 << 20)
HERE = Path(__file__).parent.parent / "support" / "breaking_service.py"
REGION = {"name": "jp1", "stores": [{"name": "fast"}, {"name": "cheap"}]}


class _BreakingService(ImageService):
    def break_at(self, moment: str) -> None:
        """From the next start on, die at *moment*, once."""
        assert moment in MOMENTS
        self._command = (sys.executable, str(HERE), moment)

    def files(self) -> list[str]:
        """Store (or staging) of every file with image bytes."""
        found = [path for name in ("images", "staging") for path in (self.data_dir / name).rglob("*") if path.is_file()]
        kept = [path for path in found if path.name != MARKER]
        return sorted(path.parent.name if "staging" not in path.parts else "staging" for path in kept)


@pytest.fixture
def service() -> Iterator[_BreakingService]:
    """A service with two stores, that has not been started and may fetch from this machine."""
    near = {"allowed_ports": [], "allowed_networks": ["127.0.0.1/32"]}
    with _BreakingService((REGION,), imports=near) as service:
        service.stop()
        yield service


def _restart_after_death(service: _BreakingService) -> None:
    deadline = time.monotonic() + 30
    while service.is_running:
        assert time.monotonic() < deadline, "the service is still alive"
        time.sleep(0.02)
    service.stop()
    service.start()


def _begin(service: _BreakingService, method: str, origin: HttpStub) -> str:
    """Start an import to both stores; return the image's ID."""
    proxy = service.connect().image
    image = proxy.create_image(name="half", disk_format="raw", container_format="bare")
    if method == "glance-direct":
        proxy.stage_image(image, DATA)
        proxy.import_image(image, all_stores=True)
    else:
        proxy.import_image(image, method, uri=f"{origin.url}/image", all_stores=True)
    assert image.id is not None
    return image.id


@pytest.fixture
def origin() -> Iterator[HttpStub]:
    """A server with DATA at /image."""
    with HttpStub() as stub:
        stub.on("GET", "/image", Answer.data(DATA))
        yield stub


@pytest.mark.parametrize(
    ("moment", "method"),
    [
        ("before the file has its name", "web-download"),
        ("after an import's bytes are staged", "web-download"),
        ("after an import's bytes are staged", "glance-direct"),
        ("before an import's store is recorded", "web-download"),
        ("after an import's store is recorded", "glance-direct"),
        ("before an import is said to be done", "glance-direct"),
    ],
)
def test_import_goes_on_after_a_crash(service: _BreakingService, origin: HttpStub, moment: str, method: str) -> None:
    """The image is active in both stores with the right bytes, and nothing else is left."""
    service.break_at(moment)
    service.start()
    image_id = _begin(service, method, origin)
    _restart_after_death(service)

    proxy = service.connect().image
    image = proxy.wait_for_image(image_id, interval=0.1, wait=60)
    assert image.stores is not None
    assert set(image.stores.split(",")) == {"fast", "cheap"}
    assert proxy.download_image(image) == DATA
    assert [task.status for task in proxy.image_tasks(image_id)] == ["success"]
    deadline = time.monotonic() + 10
    while service.files() != ["cheap", "fast"]:
        assert time.monotonic() < deadline, service.files()
        time.sleep(0.02)


def test_failed_import_is_undone_after_a_crash(service: _BreakingService, origin: HttpStub) -> None:
    """An import that had failed when the process died fails again, and leaves nothing."""
    origin.on("GET", "/image", Answer(404))
    service.break_at("before a failed import is undone")
    service.start()
    image_id = _begin(service, "web-download", origin)
    _restart_after_death(service)

    proxy = service.connect().image
    with pytest.raises(exceptions.ResourceFailure, match="status 404"):
        proxy.wait_for_image(image_id, interval=0.1, wait=60)
    assert proxy.get_image(image_id).image_status == "queued"
    assert service.files() == []


def test_staging_dies(service: _BreakingService, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image whose staging was cut is queued again after the restart, and can be staged again."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    service.break_at("before the file has its name")
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="cut", disk_format="raw", container_format="bare")
    with pytest.raises(exceptions.SDKException):
        proxy.stage_image(image, DATA)
    _restart_after_death(service)

    again = service.connect().image
    assert again.get_image(image).image_status == "queued"
    assert service.files() == []
    assert again.stage_image(image, DATA).image_status == "uploading"


def test_staged_bytes_survive_a_kill(service: _BreakingService) -> None:
    """What was staged before a SIGKILL can be imported after it."""
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="kept", disk_format="raw", container_format="bare")
    proxy.stage_image(image, DATA)
    service.kill()
    service.start()

    again = service.connect().image
    assert again.get_image(image).image_status == "uploading"
    again.import_image(image)
    assert again.download_image(again.wait_for_image(image, interval=0.1)) == DATA
