"""What was acknowledged survives a SIGKILL at any moment; what was not leaves nothing behind."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image
from ecl.server.data.store.marker import NAME as MARKER
from ecl.testing import ImageService
from support.breaking_service import MOMENTS

DATA = os.urandom(3 << 20)
HERE = Path(__file__).parent.parent / "support" / "breaking_service.py"


class _BreakingService(ImageService):
    def break_at(self, moment: str) -> None:
        """From the next start on, die at *moment*, once."""
        assert moment in MOMENTS
        self._command = (sys.executable, str(HERE), moment)

    def has_died(self) -> bool:
        return (self._folder / "has-died").exists()

    def files(self, region: str) -> list[Path]:
        """Every file that is in the region's store, but for its marker."""
        files = [path for path in (self.data_dir / "images" / region).rglob("*") if path.is_file()]
        return [path for path in files if path.name != MARKER]


@pytest.fixture
def service() -> Iterator[_BreakingService]:
    """A service that has not been started."""
    with _BreakingService(("jp1", "jp2")) as service:
        service.stop()
        yield service


def _until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def _expect_death(service: _BreakingService, call: Callable[[], object]) -> None:
    """Run *call*, in which the service dies, and start the service again."""
    with pytest.raises(exceptions.SDKException):
        call()
    assert service.has_died()
    _until(lambda: not service.is_running, "the service is dead")
    service.stop()
    service.start()


@pytest.mark.parametrize(
    "moment",
    [
        "before the upload is flushed",
        "before the file has its name",
        "after the file has its name, before the row is committed",
    ],
)
def test_upload_dies_before_it_is_acknowledged(
    service: _BreakingService, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is queued again after the restart, no file is left, and the upload can be repeated."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    service.break_at(moment)
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="half", disk_format="raw", container_format="bare")

    _expect_death(service, lambda: proxy.upload_image(image, DATA))

    again = service.connect().image
    left = again.get_image(image)
    assert (left.image_status, left.size, left.checksum) == ("queued", None, None)
    assert service.files("jp1") == []
    assert again.upload_image(image, DATA).image_status == "active"
    assert again.download_image(image) == DATA


def test_upload_dies_after_it_is_durable(service: _BreakingService, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that is active when the process dies is active after the restart, with all of its bytes."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    service.break_at("after the image is active, before the answer")
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="whole", disk_format="raw", container_format="bare")

    _expect_death(service, lambda: proxy.upload_image(image, DATA))

    again = service.connect().image
    assert again.get_image(image).image_status == "active"
    assert again.download_image(image) == DATA


def test_acknowledged_work_survives_a_kill(service: _BreakingService) -> None:
    """What was answered with success is there after a SIGKILL that follows at once."""
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="kept", data=DATA, os_distro="debian")
    proxy.add_tag(image, "a tag")
    service.kill()
    service.start()

    again = service.connect().image
    kept = again.get_image(image)
    assert (kept.name, kept["os_distro"], kept.tags) == ("kept", "debian", ["a tag"])
    assert again.download_image(kept) == DATA


def test_kill_in_the_middle_of_an_upload(service: _BreakingService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an upload is no image: queued again after the restart, and its bytes are gone."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="cut", disk_format="raw", container_format="bare")

    def half() -> Iterator[bytes]:
        # The format inspector looks at the first 4 MiB before anything is sent.
        yield from [DATA] * 4
        _until(lambda: bool(service.files("jp1")), "bytes in the store")
        service.kill()
        yield DATA * 4

    with pytest.raises(exceptions.SDKException):
        proxy.upload_image(image, half())
    service.start()

    assert service.connect().image.get_image(image).image_status == "queued"
    assert service.files("jp1") == []


def test_delete_dies_before_the_bytes_are_removed(service: _BreakingService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted image stays deleted, and its bytes go at the next start."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    service.break_at("after the row is deleted, before the bytes are")
    service.start()
    proxy = service.connect().image
    image = proxy.create_image(name="gone", data=DATA)

    _expect_death(service, lambda: proxy.delete_image(image))

    with pytest.raises(exceptions.ResourceNotFound):
        service.connect().image.get_image(image)
    assert service.files("jp1") == []


@pytest.mark.parametrize("moment", ["after the copy's image is made", "in the middle of a copy"])
def test_copy_goes_on_after_a_crash(service: _BreakingService, moment: str) -> None:
    """A copy that the process died in is finished after the restart, into one image, with the right bytes."""
    service.break_at(moment)
    service.start()
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="copied", data=DATA, **{".os.type": "linux"})
    job = proxy.copy_image(image.id or "", service.credentials("jp2")["project_id"])
    _until(lambda: not service.is_running, "the service is dead")
    service.stop()
    service.start()

    done = service.connect("jp1").image.wait_for_image_copy(job, interval=0.1, wait=60)

    there = service.connect("jp2").image
    copies = list(there.images())
    assert [each.id for each in copies] == [done.destination_image_id]
    assert copies[0].os_hash_value == image.os_hash_value
    assert copies[0][".os.type"] == "linux"
    assert there.download_image(copies[0]) == DATA
    assert done.copy_progress == 100


def test_canceled_copy_leaves_nothing_after_a_crash(service: _BreakingService) -> None:
    """A copy that was being canceled when the process died is canceled after the restart, and its image gone."""
    service.break_at("before a canceled copy's image is removed")
    service.start()
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="canceled", data=DATA * 40)
    job = proxy.copy_image(image.id or "", service.credentials("jp2")["project_id"])
    proxy.cancel_copy_image(job.job_id or "")
    _until(lambda: not service.is_running, "the service is dead")
    service.stop()
    service.start()

    again = service.connect("jp1").image
    _until(lambda: again.get_image_copy_job(job.job_id or "").status == "canceled", "the job is canceled")
    assert list(service.connect("jp2").image.images()) == []
    assert service.files("jp2") == []


def test_missing_bytes_are_never_served(service: _BreakingService) -> None:
    """An image whose file somebody has cut short is refused, not delivered in part."""
    service.start()
    proxy = service.connect().image
    image: Image = proxy.create_image(name="cut short", data=DATA)
    (file,) = service.files("jp1")
    os.truncate(file, 1000)

    with pytest.raises(exceptions.ServerException, match="cannot be read"):
        proxy.download_image(str(uuid.UUID(image.id)))
