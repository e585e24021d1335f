"""The hash of a part file that is read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image._transfer.file_hash import FileHasher
from ecl.image._transfer.part import PartFile
from ecl.image.v2.image import Image

_DATA = os.urandom((2 << 20) + 5)


@pytest.fixture
def part(tmp_path: Path) -> PartFile:
    """A part file that has every byte."""
    made = PartFile(tmp_path / "disk")
    made.bind(Image.existing(id="abc", status="active", size=len(_DATA), checksum="0" * 32))
    made.write(0, _DATA)
    return made


def test_read_again(part: PartFile) -> None:
    """What was written before anybody followed is hashed, too."""
    hasher = FileHasher(part, "md5")
    hasher.read_file()

    assert hasher.hexdigests()["md5"] == hashlib.md5(_DATA).hexdigest()
    part.discard()


def test_unreadable(part: PartFile, tmp_path: Path) -> None:
    """A file that cannot be read again is an error with the next block, not when all of them have come."""
    os.truncate(tmp_path / "disk.part", 0)
    hasher = FileHasher(part, "md5")
    hasher.read_file()
    hasher.close()

    with pytest.raises(exceptions.FileFailure, match="it became shorter"):
        hasher.update(b"more")
    part.discard()


@pytest.mark.parametrize("left", [0, 1000, (1 << 20) + 7])
def test_cut_by_somebody_else(part: PartFile, tmp_path: Path, left: int) -> None:
    """A file that became shorter is one error, not an endless wait, and is not kept to go on from."""
    os.truncate(tmp_path / "disk.part", left)
    hasher = FileHasher(part, "md5")
    hasher.read_file()

    with pytest.raises(exceptions.FileFailure, match="it became shorter"):
        hasher.hexdigests()["md5"]
    assert not part.keep()
    assert list(tmp_path.iterdir()) == []
