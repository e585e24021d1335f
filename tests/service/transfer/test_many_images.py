"""upload_images() and download_images(): several at once, one result, one progress."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage, left_threads

_MIB = 1 << 20
RAW = {"disk_format": "raw", "container_format": "bare"}


def part_of(index: int) -> bytes:
    """Return some bytes, others for each index."""
    return DATA[index * 100_000 : index * 100_000 + 300_000 + index]


@pytest.fixture
def named(direct: Proxy) -> Iterator[None]:
    """Whatever is called "many" is deleted in the end."""
    yield
    for image in list(direct.images(name="many")):
        direct.delete_image(image)


def test_upload_images(direct: Proxy, named: None) -> None:
    """All are active, in the order given; progress ends with the sum of all."""
    seen: list[tuple[int, int | None]] = []

    images = direct.upload_images(
        ({"name": "many", "data": part_of(index), **RAW} for index in range(9)),
        workers=3,
        progress=lambda *at: seen.append(at),
    )

    total = sum(len(part_of(index)) for index in range(9))
    assert [image.size for image in images] == [len(part_of(index)) for index in range(9)]
    assert {image.image_status for image in images} == {"active"}
    assert seen[-1] == (total, total)


def test_download_images(behind: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path) -> None:
    """All are there, in the order given; no more at once than asked for."""
    link.rate = 20e6
    wanted = {new_image(part_of(index)).id: tmp_path / f"{index}.raw" for index in range(6)}
    seen: list[tuple[int, int | None]] = []

    paths = behind.download_images(wanted, workers=2, progress=lambda *at: seen.append(at))

    assert paths == list(wanted.values())
    assert [path.read_bytes() == part_of(index) for index, path in enumerate(paths)] == [True] * 6
    assert link.most_at_once <= 2
    assert seen[-1][0] == seen[-1][1] == sum(len(part_of(index)) for index in range(6))


def test_one_fails(behind: Proxy, link: FaultyProxy, direct: Proxy, new_image: NewImage, tmp_path: Path) -> None:
    """The first failure is raised; those that ran are whole, and how many were not started is told."""
    images = [new_image(part_of(index)) for index in range(6)]
    link.add(Fault(path=f"{images[1].id}/file", answer=403))

    with pytest.raises(exceptions.ForbiddenException) as caught:
        behind.download_images([(image, tmp_path / image.id) for image in images], workers=1)

    assert caught.value.__notes__ == ["4 more transfers were not started."]
    assert [path.name for path in tmp_path.iterdir()] == [images[0].id]


def test_one_upload_fails(direct: Proxy, named: None, tmp_path: Path) -> None:
    """An upload that fails leaves no image of its own; the others stay."""
    wanted: list[dict[str, Any]] = [
        {"name": "many", "data": part_of(0), **RAW},
        {"name": "many", "data": tmp_path / "no"},
    ]

    with pytest.raises(exceptions.InvalidRequest, match="no"):
        direct.upload_images(wanted, workers=1)

    assert len(list(direct.images(name="many"))) == 1


def test_two_to_one_path(direct: Proxy, new_image: NewImage, tmp_path: Path, link: FaultyProxy, behind: Proxy) -> None:
    """Two images for one path at once are an error, not a mixture."""
    first, second = new_image(DATA), new_image(DATA[::-1])
    link.rate = 20e6

    with pytest.raises(exceptions.InvalidRequest, match="another download"):
        behind.download_images([(first, tmp_path / "x"), (second, tmp_path / "x")], workers=2)

    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() in (DATA, DATA[::-1])


def test_nothing(direct: Proxy) -> None:
    """No images are no work."""
    assert direct.upload_images([]) == []
    assert direct.download_images({}) == []


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_workers_out_of_bounds(direct: Proxy, workers: Any) -> None:
    """Anything but a positive number of workers is refused."""
    with pytest.raises(exceptions.InvalidRequest, match="workers"):
        direct.download_images({}, workers=workers)


def test_data_is_needed(direct: Proxy) -> None:
    """An entry without data is refused before any is begun."""
    with pytest.raises(exceptions.InvalidRequest, match="'data'"):
        direct.upload_images([{"name": "many", "data": b"x"}, {"name": "many"}])

    assert list(direct.images(name="many")) == []


def test_interrupt(behind: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path) -> None:
    """Ctrl-C ends those that run, and begins no more."""
    image = new_image(DATA)
    link.rate = 2e6
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        link.until(lambda: link.fetched > _MIB)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        behind.download_images([(image, tmp_path / str(index)) for index in range(20)], workers=2)
    thread.join()

    assert link.fetched < 2 * len(DATA)
    assert len(link.data_requests) <= 2
    assert left_threads() == []


def test_max_bandwidth(direct: Proxy, new_image: NewImage, tmp_path: Path, pauses: list[float]) -> None:
    """One limit counts for all of them together."""
    images = [new_image(DATA) for _ in range(3)]

    direct.download_images([(image, tmp_path / image.id) for image in images], max_bandwidth=_MIB)

    # The last block of the three has to wait for all the others; nobody sleeps long.
    assert max(pauses) <= 0.25
    assert sum(pauses) > 3 * 4
