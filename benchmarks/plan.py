"""What one run of the benchmarks is to do, and the files that it works with."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DATA_SETS", "MANY", "MIB", "Plan", "parse_size"]

MIB = 1 << 20
#: Files of the data set "many"; together they have the size of one.
MANY = 64
DATA_SETS = ("random", "zeros", "many")
#: Of the data set "zeros", one block in so many is random.
_SPARSENESS = 10


def parse_size(text: str) -> int:
    """
    Return the bytes of ``256M`` or ``1G``.

    Raises:
        ValueError: It is not of that form.
    """
    match = re.fullmatch(r"(\d+)([MG])", text)
    if match is None or not int(match[1]):
        raise ValueError(f"{text!r} is no size such as 256M or 1G")
    size = int(match[1]) * {"M": MIB, "G": 1 << 30}[match[2]]
    if size < MANY * MIB:
        raise ValueError(f"sizes begin at {MANY}M: the data set of many files has {MANY}")
    return size


@dataclass(frozen=True)
class Plan:
    """
    One run.

    Attributes:
        size: Bytes of the image that is moved.
        runs: Counted runs of each contender.
        folder: For files that may go.
        rows: Images of the largest region.
        scale: What small figures (10,000 images, seconds of load) are divided by, for a quick look.
    """

    size: int
    runs: int
    folder: Path
    scale: int = 1
    rows: int = 100_000
    _files: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Images of a large listing."""
        return 10_000 // self.scale

    def files(self, data_set: str) -> list[Path]:
        """Return the files of one of `DATA_SETS`, made when they are asked for first."""
        if data_set not in self._files:
            make = {"random": _random, "zeros": _zeros, "many": _many}[data_set]
            self._files[data_set] = make(self.folder, self.size)
        return self._files[data_set]

    def outputs(self, data_set: str) -> list[Path]:
        """Return paths to download a data set to, none of which is there."""
        paths = [self.folder / f"out-{path.name}" for path in self.files(data_set)]
        for path in paths:
            path.unlink(missing_ok=True)
        return paths

    def empty_folder(self, name: str) -> Path:
        """Return a new folder."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def zeros(self, size: int) -> Path:
        """Return a file of *size* bytes that takes no room."""
        path = self.folder / f"empty-{size}"
        with path.open("wb") as file:
            file.truncate(size)
        return path


def _random(folder: Path, size: int) -> list[Path]:
    path = folder / "random.raw"
    _write(path, size)
    return [path]


def _many(folder: Path, size: int) -> list[Path]:
    paths = [folder / f"many-{number:02}.raw" for number in range(MANY)]
    for path in paths:
        _write(path, size // MANY)
    return paths


def _zeros(folder: Path, size: int) -> list[Path]:
    """Nine MiB of zeros after each MiB of data: a disk that is a tenth full."""
    path = folder / "zeros.raw"
    with path.open("wb") as file:
        file.truncate(size)
        for offset in range(0, size, _SPARSENESS * MIB):
            file.seek(offset)
            file.write(os.urandom(min(MIB, size - offset)))
    return [path]


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for offset in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - offset)))
