"""Real disk images: from Debian's grub-rescue-pc, and made by qemu-img."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["REAL_IMAGES", "RealImage", "real_image"]

_GRUB = Path("/usr/lib/grub-rescue")
_MIB = 1 << 20

#: Name of an image: the word for its format in Glance, and in qemu-img.
_MADE = {
    "qcow2": ("qcow2", "qcow2"),
    "vmdk": ("vmdk", "vmdk"),
    "vdi": ("vdi", "vdi"),
    "vhd": ("vhd", "vpc"),
    "vhdx": ("vhdx", "vhdx"),
    "raw": ("raw", "raw"),
}
_TAKEN = {
    "iso": ("iso", "grub-rescue-cdrom.iso"),
    # It boots from a floppy, but an ISO 9660 file system is what is on it.
    "floppy": ("iso", "grub-rescue-floppy.img"),
}
#: Every image that may be uploaded; ``backed``, a qcow2 that needs another file, may not.
REAL_IMAGES = (*_MADE, *_TAKEN)


@dataclass(frozen=True)
class RealImage:
    """A disk image in a file, and what is true of it."""

    path: Path
    #: Glance's word.
    disk_format: str
    #: Bytes of the disk that a guest sees, as qemu-img says.
    virtual_size: int

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def digest(self, algorithm: str) -> str:
        """Return the hash of the file in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()


@pytest.fixture(scope="session")
def real_image(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RealImage]:
    """A function that gives one of `REAL_IMAGES`, or ``backed``; the test skips where it cannot be had."""
    folder: Path | None = None
    ready: dict[str, RealImage] = {}

    def get(name: str) -> RealImage:
        nonlocal folder
        folder = folder or tmp_path_factory.mktemp("images")
        if name not in ready:
            ready[name] = _taken(name) if name in _TAKEN else _made(name, folder)
        return ready[name]

    return get


def _taken(name: str) -> RealImage:
    disk_format, file = _TAKEN[name]
    path = _GRUB / file
    if not path.exists():
        pytest.skip("the package grub-rescue-pc is not installed (scripts/test-inputs)")
    return RealImage(path, disk_format, path.stat().st_size)


def _made(name: str, folder: Path) -> RealImage:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed (scripts/test-inputs)")
    disk = folder / "disk.raw"
    if not disk.exists():
        _write_disk(disk)
    if name == "backed":
        return _make_backed(folder)
    disk_format, qemu_format = _MADE[name]
    path = folder / f"disk.{name}"
    if name != "raw":
        _qemu_img("convert", "-f", "raw", "-O", qemu_format, disk, path)
    return RealImage(path, disk_format, _virtual_size(path, qemu_format))


def _make_backed(folder: Path) -> RealImage:
    base, path = folder / "base.qcow2", folder / "backed.qcow2"
    _qemu_img("create", "-f", "qcow2", base, str(8 * _MIB))
    _qemu_img("create", "-f", "qcow2", "-b", base, "-F", "qcow2", path)
    return RealImage(path, "qcow2", 8 * _MIB)


def _write_disk(path: Path) -> None:
    """8 MiB: a boot sector with one partition, 2 MiB of data that does not compress, a hole."""
    noise = random.Random(8)
    partition = bytes.fromhex("80000200830000000008000000380000")
    with path.open("wb") as file:
        file.write(bytes(446) + partition + bytes(48) + b"\x55\xaa")
        file.seek(_MIB)
        file.write(noise.randbytes(2 * _MIB))
        file.truncate(8 * _MIB)


def _virtual_size(path: Path, qemu_format: str) -> int:
    info = _qemu_img("info", "-f", qemu_format, "--output=json", path)
    size = json.loads(info)["virtual-size"]
    assert isinstance(size, int)
    return size


def _qemu_img(*arguments: str | Path) -> str:
    return subprocess.run(["qemu-img", *arguments], check=True, capture_output=True, text=True).stdout
