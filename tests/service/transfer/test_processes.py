"""Transfers in processes of their own: killed, interrupted, out of room, and how much memory they take."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support import transfers
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage

_MIB = 1 << 20
#: Bytes of the image that is downloaded and broken off.
_SIZE = 48 * _MIB


@pytest.fixture(scope="module")
def big(service: ImageService) -> Iterator[tuple[str, bytes]]:
    """An image that takes a moment, and its data."""
    data = random.Random(1).randbytes(_SIZE)
    proxy = service.connect().image
    image = proxy.create_image(name="big", data=data)
    yield image.id or "", data
    proxy.delete_image(image)


def check_same(path: Path, data: bytes) -> None:
    """The file has these bytes."""
    is_right = path.read_bytes() == data
    assert is_right


@pytest.mark.parametrize("connections", [1, 4])
def test_kill_in_the_middle(
    link: FaultyProxy, token: str, big: tuple[str, bytes], tmp_path: Path, connections: int
) -> None:
    """After a SIGKILL at half of a download, the next one fetches at most 55 % of it."""
    image, data = big
    target = tmp_path / "disk.raw"
    # Four connections have four ranges of 16 MiB on their way.
    half = _SIZE // 2 // connections
    link.add(Fault(times=None, cut_at=half, stall=True))
    process = transfers.start(link.url, token, "download", image, target, connections=connections)
    try:
        link.until(lambda: link.fetched >= half * min(connections, 3))
        # What has left the proxy is not yet on the disk.
        record = tmp_path / "disk.raw.part.json"
        link.until(lambda: record.exists() and _recorded(record) >= half * min(connections, 3) - 3 * _MIB)
    finally:
        process.kill()
        process.communicate()
    link.heal()
    link.forget()
    fetched = half * min(connections, 3)

    report = transfers.finish(transfers.start(link.url, token, "download", image, target, connections=connections))

    assert report["error"] is None
    check_same(target, data)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["disk.raw"]
    assert link.fetched <= _SIZE - fetched + 0.05 * _SIZE + 2 * _MIB


def _recorded(record: Path) -> int:
    import json

    try:
        return sum(end - start for start, end in json.loads(record.read_text() or "{}").get("done", []))
    except ValueError:
        return 0


@pytest.mark.parametrize("connections", [1, 4])
def test_interrupt(link: FaultyProxy, token: str, big: tuple[str, bytes], tmp_path: Path, connections: int) -> None:
    """Ctrl-C in the middle ends the process soon, though its connections are silent, and says how to go on."""
    image, data = big
    target = tmp_path / "disk.raw"
    link.add(Fault(times=None, cut_at=5 * _MIB, stall=True))
    process = transfers.start(link.url, token, "download", image, target, connections=connections)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        report = transfers.finish(process)
    finally:
        process.kill()
        process.communicate()

    assert report["error"][0] == "KeyboardInterrupt"
    assert "goes on from there" in report["error"][-1]
    assert not target.exists()
    link.heal()
    link.forget()
    assert transfers.finish(transfers.start(link.url, token, "download", image, target))["error"] is None
    check_same(target, data)
    assert link.fetched < _SIZE


_ON_A_SMALL_DISK = """
mount -t tmpfs -o size=3m none "$1" && "$2" "$3" "$4"; code=$?
ls "$1"; exit $code
"""


def test_full_disk(service: ImageService, token: str, shared_id: str, tmp_path: Path) -> None:
    """A disk that is full is one clear error, and what is there can be gone on from."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    import json

    arguments = {
        "endpoint": f"{service.url}/image/jp1", "token": token, "work": "download", "image": shared_id,
        "path": str(tmp_path / "disk.raw"),
    }  # fmt: skip
    shell = ["sh", "-c", _ON_A_SMALL_DISK, "sh", str(tmp_path), sys.executable, transfers.DRIVER, json.dumps(arguments)]
    done = subprocess.run(["unshare", "-Urm", *shell], stdout=subprocess.PIPE, text=True)

    *_, report_line, first, second = done.stdout.splitlines()
    report = json.loads(report_line)
    assert report["error"][0] == "FileFailure"
    assert "No space left on device; make room" in report["error"][1]
    assert "goes on from there" in report["error"][-1]
    assert (first, second) == ("disk.raw.part", "disk.raw.part.json")


def test_full_disk_goes_on(
    direct: Proxy, link: FaultyProxy, behind: Proxy, shared_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is room again, the download goes on from what was written."""
    import errno

    from ecl import exceptions

    pwrite = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if offset >= 3 * _MIB:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return pwrite(descriptor, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(exceptions.FileFailure, match="make room"):
            behind.download_image(shared_id, output=tmp_path / "disk.raw")
    link.forget()
    behind.download_image(shared_id, output=tmp_path / "disk.raw")

    assert [each.range for each in link.data_requests] == [(3 * _MIB, None)]
    check_same(tmp_path / "disk.raw", DATA)


def test_memory(service: ImageService, token: str, new_image: NewImage, tmp_path: Path) -> None:
    """A transfer takes at most 64 MiB, whatever the size of the image."""
    for size in (64 * _MIB, 256 * _MIB):
        source = tmp_path / "source.raw"
        with source.open("wb") as file:
            file.truncate(size)
        image = new_image().id
        up = transfers.finish(transfers.start(service.url, token, "upload", image, source))
        down = transfers.finish(transfers.start(service.url, token, "download", image, tmp_path / "out.raw"))

        for report in (up, down):
            assert report["error"] is None
            assert 0 < report["peak"] - report["before"] < 64 * _MIB
        assert (tmp_path / "out.raw").stat().st_size == size
        assert (tmp_path / "out.raw").stat().st_blocks == 0
