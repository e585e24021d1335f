"""Ctrl-C in the middle of many transfers, each in a process of its own, while the service is silent."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.image.v2._proxy import Proxy
from support import transfers
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA

#: So few bytes that all of them have arrived when the other side has sent them.
_SOME = 30_000
#: More bytes than any buffer on the way takes.
_LARGE = 64 << 20
NAMES = ["interrupted-1", "interrupted-2"]

#: Begin a work on NAMES, wait until two connections of it are silent and so many bytes of requests have come, press
#: Ctrl-C, and return what it reports.
Interrupted = Callable[..., dict[str, Any]]


@pytest.fixture
def interrupted(link: FaultyProxy, token: str) -> Iterator[Interrupted]:
    """Interrupt transfers; whatever comes of it, their process ends with the test."""
    begun: list[subprocess.Popen[str]] = []

    def run(work: str, image: str | None, path: Path, received: int = 0) -> dict[str, Any]:
        process = transfers.start(link.url, token, work, image, path, names=NAMES)
        begun.append(process)
        link.until(lambda: link.silent >= 2 and sum(each.received for each in link.requests) >= received)
        process.send_signal(signal.SIGINT)
        report = transfers.finish(process)
        assert report["error"][0] == "KeyboardInterrupt"
        return report

    yield run
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def made(direct: Proxy) -> Iterator[Callable[[], set[str]]]:
    """The names of those of NAMES that the service has an image of; they are deleted in the end."""

    def images() -> list[Any]:
        return [image for name in NAMES for image in direct.images(name=name)]

    yield lambda: {image.name for image in images()}
    for image in images():
        direct.delete_image(image)


def test_downloads_silent_in_the_middle(
    interrupted: Interrupted, behind: Proxy, link: FaultyProxy, shared_id: str, tmp_path: Path
) -> None:
    """What has come of each is kept, the notes say so, and the same downloads go on from there."""
    link.add(Fault(times=2, cut_at=_SOME, stall=True))

    report = interrupted("downloads", shared_id, tmp_path)

    for name in NAMES:
        assert f"{_SOME} bytes are in {tmp_path / name}.part; the same download goes on from there." in report["error"]
    link.forget()
    behind.download_images([(shared_id, tmp_path / name) for name in NAMES])
    assert [(tmp_path / name).read_bytes() == DATA for name in NAMES] == [True, True]
    assert sorted(each.name for each in tmp_path.iterdir()) == NAMES
    assert link.fetched == 2 * (len(DATA) - _SOME)


def test_downloads_without_an_answer(
    interrupted: Interrupted, link: FaultyProxy, shared_id: str, tmp_path: Path
) -> None:
    """Requests that are never answered do not hold the end up, and leave nothing behind."""
    link.add(Fault(times=2, unanswered=True))

    interrupted("downloads", shared_id, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_downloads_of_images_nobody_describes(
    interrupted: Interrupted, link: FaultyProxy, shared_id: str, tmp_path: Path
) -> None:
    """A download that not even its description has come for is ended with the process, and named."""
    # The first one is the driver's own.
    link.add(Fault(path=shared_id), Fault(path=shared_id, times=2, unanswered=True))

    report = interrupted("downloads", shared_id, tmp_path)

    for name in NAMES:
        assert any(f"The download to {tmp_path / name} could not be ended" in note for note in report["error"])


@pytest.mark.parametrize(
    ("silence", "received"),
    [({"unanswered": True}, 2 * _LARGE), ({"unread": True}, 0)],
    ids=["unanswered", "unread"],
)
def test_uploads(
    interrupted: Interrupted,
    link: FaultyProxy,
    made: Callable[[], set[str]],
    tmp_path: Path,
    silence: dict[str, bool],
    received: int,
) -> None:
    """A service that does not answer, or not even read, does not hold the end up, and no image stays."""
    source = tmp_path / "disk.raw"
    with source.open("wb") as file:
        file.truncate(_LARGE)
    link.add(Fault(method="PUT", times=2, **silence))  # type: ignore[arg-type]  # mypy does not know which

    interrupted("uploads", None, source, received)

    assert made() == set()


def test_uploads_that_cannot_be_taken_back(
    interrupted: Interrupted, link: FaultyProxy, direct: Proxy, made: Callable[[], set[str]], tmp_path: Path
) -> None:
    """An image that the service does not let go is named by its ID."""
    source = tmp_path / "disk.raw"
    source.write_bytes(DATA)
    link.add(Fault(method="PUT", times=2, unanswered=True), Fault(method="DELETE", path="", times=None, answer=403))

    report = interrupted("uploads", None, source)

    assert made() == set(NAMES)
    for name in NAMES:
        (image,) = direct.images(name=name)
        assert any(f"Image {image.id} could not be deleted again" in note for note in report["error"])


def test_uploads_into_images_nobody_has_shown(interrupted: Interrupted, link: FaultyProxy, tmp_path: Path) -> None:
    """An image of which nobody knows whether it was made is named."""
    source = tmp_path / "disk.raw"
    source.write_bytes(DATA)
    link.add(Fault(method="POST", path="/images", times=2, unanswered=True))

    report = interrupted("uploads", None, source)

    for name in NAMES:
        assert any(f"whether there is an image '{name}'" in note for note in report["error"])
