"""The file that a download is written to until it is whole, and others who are at it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support import transfers
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import check_alone

_MIB = 1 << 20


@pytest.mark.parametrize("dangling", [False, True])
def test_part_is_a_link(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, tmp_path_factory: pytest.TempPathFactory,
    dangling: bool,
) -> None:  # fmt: skip
    """A link in the place of the part is not followed: nothing is asked for, and what it leads to is untouched."""
    other = tmp_path_factory.mktemp("other") / "file"
    if not dangling:
        other.write_bytes(b"precious")
    part = target.with_name("disk.raw.part")
    part.symlink_to(other)

    with pytest.raises(exceptions.InvalidRequest, match=r"disk\.raw\.part cannot be written"):
        behind.download_image(shared_id, output=target)

    assert link.requests == []
    assert other.exists() is not dangling
    assert dangling or other.read_bytes() == b"precious"
    assert part.is_symlink()
    assert not target.exists()


def test_record_is_a_link(
    direct: Proxy, shared_id: str, target: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A link in the place of the record costs the record, not what it leads to; the download is whole."""
    other = tmp_path_factory.mktemp("other") / "file"
    other.write_bytes(b"precious")
    target.with_name("disk.raw.part.json").symlink_to(other)

    direct.download_image(shared_id, output=target)

    check_alone(target)
    assert other.read_bytes() == b"precious"


def test_two_processes_to_one_path(link: FaultyProxy, token: str, shared_id: str, target: Path) -> None:
    """A second process is refused with one clear error, and does the first no harm."""
    link.add(Fault(cut_at=2 * _MIB, stall=True))
    first = transfers.start(link.url, token, "download", shared_id, target)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        second = transfers.finish(transfers.start(link.url, token, "download", shared_id, target))
        link.release()
        report = transfers.finish(first)
    finally:
        first.kill()
        first.communicate()

    assert second["error"] == ["InvalidRequest", f"{target}.part is being written by another download"]
    assert report["error"] is None
    check_alone(target)


def test_part_is_cut_at_the_end(direct: Proxy, shared_id: str, target: Path) -> None:
    """A part that somebody cuts when all is verified does not get the name, and is not gone on from."""

    def cut(done: int, total: int | None) -> None:
        if done == total:
            os.truncate(target.with_name("disk.raw.part"), 1000)

    with pytest.raises(exceptions.FileFailure, match="changed by somebody else"):
        direct.download_image(shared_id, output=target, progress=cut)

    assert list(target.parent.iterdir()) == []
