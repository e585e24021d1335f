"""Downloads into memory, files and pipes: in order, over a network that breaks."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage, left_threads

_MIB = 1 << 20


def test_pipe(behind: Proxy, link: FaultyProxy, shared_id: str) -> None:
    """A pipe gets the bytes in order, though the connection breaks twice on the way."""
    link.add(Fault(cut_at=1_000_001), Fault(cut_at=2_000_003, reset=True))
    reading, writing = os.pipe()
    taken: list[bytes] = []

    def take() -> None:
        with os.fdopen(reading, "rb") as file:
            taken.append(file.read())

    thread = threading.Thread(target=take)
    thread.start()
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        behind.download_image(shared_id, output=pipe)
    thread.join()

    is_right = taken == [DATA]
    assert is_right
    assert len(link.data_requests) == 3


def test_pipe_that_nobody_reads(direct: Proxy, shared_id: str) -> None:
    """A closed pipe ends the download with an error."""
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb", buffering=0) as pipe, pytest.raises(exceptions.FileFailure):
        direct.download_image(shared_id, output=pipe)

    assert left_threads() == []


@pytest.mark.parametrize("to_path", [True, False])
def test_full_device(direct: Proxy, shared_id: str, to_path: bool) -> None:
    """A device without room is one clear error; nothing is put beside it."""
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(exceptions.FileFailure, match="No space left"):
        direct.download_image(shared_id, output="/dev/full" if to_path else file)

    assert not Path("/dev/full.part").exists()


@pytest.mark.parametrize("drop_range", [False, True])
def test_memory(behind: Proxy, link: FaultyProxy, shared_id: str, drop_range: bool) -> None:
    """Bytes in memory are right after a break, also where ranges do not work."""
    link.add(Fault(cut_at=3 * _MIB), Fault(drop_range=drop_range))

    is_right = behind.download_image(shared_id) == DATA
    assert is_right


def test_flipped_bit(behind: Proxy, link: FaultyProxy, shared_id: str) -> None:
    """A wrong bit is noticed, with progress and without."""
    for progress in (None, lambda done, total: None):
        link.add(Fault(flip_at=5))
        with pytest.raises(exceptions.DigestMismatch):
            behind.download_image(shared_id, output=io.BytesIO(), progress=progress)
    assert left_threads() == []


def test_max_bandwidth(direct: Proxy, shared_id: str, pauses: list[float]) -> None:
    """A limit makes the download wait as long as its bytes take at that rate."""
    direct.download_image(shared_id, max_bandwidth=_MIB)

    # All but the first block is waited for; the naps of this test are shorter than asked for.
    assert sum(pauses) >= 3
    assert max(pauses) <= len(DATA) / _MIB


@pytest.mark.parametrize("rate", [0, -1, True, "fast", float("nan")])
def test_max_bandwidth_out_of_bounds(behind: Proxy, link: FaultyProxy, rate: object) -> None:
    """A limit that is no positive number is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest, match="max_bandwidth"):
        behind.download_image("some-id", max_bandwidth=rate)  # type: ignore[call-overload]
    with pytest.raises(exceptions.InvalidRequest, match="max_bandwidth"):
        behind.upload_image("some-id", DATA, max_bandwidth=rate)  # type: ignore[arg-type]

    assert link.requests == []


def test_queued_image(direct: Proxy, new_image: NewImage, tmp_path: Path) -> None:
    """An image without data is an error that says so, wherever it was to go."""
    image = new_image()
    for output in (None, tmp_path / "out", io.BytesIO()):
        with pytest.raises(exceptions.InvalidRequest, match="no data"):
            direct.download_image(image, output=output)  # type: ignore[call-overload]
    assert list(tmp_path.iterdir()) == []
