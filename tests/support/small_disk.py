"""A file system of a few MiB."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["fill_up", "small_disk"]


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """Mount one of *mib* MiB at *folder* until the block ends; the test skips where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        # Lazily: a process that just ended may still be there.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder: Path, leave: int = 0) -> Path:
    """Fill the disk of *folder* but for *leave* bytes. Return the file that does; without it there is room again."""
    found = os.statvfs(folder)
    path = folder / "filler"
    with path.open("wb") as file:
        left = found.f_bavail * found.f_frsize - leave
        while left > 0:
            try:
                left -= file.write(b"\0" * min(left, 1 << 16))
                file.flush()
            except OSError:
                break
    return path
