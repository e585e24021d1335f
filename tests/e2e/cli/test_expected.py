"""What create, upload, publish and stage are told to expect of a file, and what they refuse."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from support.commands import Command

#: Each way that data takes into an image; NAME and FILE are filled in.
WAYS = {
    "create": "create {name} --file {file}",
    "create --import": "create {name} --file {file} --import",
    "upload": "upload {name} --file {file}",
    "publish": "publish {name} --file {file}",
    "stage": "stage {name} --file {file}",
}
NEEDS_IMAGE = ("upload", "stage")
ways = pytest.mark.parametrize("way", WAYS)


def send(ecl: Command, way: str, name: str, file: Path, *options: str, code: int = 0) -> str:
    """Take *way*; return what was said on stderr."""
    if way in NEEDS_IMAGE and not statuses(ecl, name):
        ecl("image", "create", name, "--disk-format", "raw", "--container-format", "bare")
    words = [word.format(name=name, file=file) for word in WAYS[way].split()]
    return ecl("image", *words, *options, code=code).err


def statuses(ecl: Command, name: str) -> list[str]:
    """Return the statuses of the images of that name, hidden ones included."""
    return [
        image["status"]
        for hidden in ([], ["--hidden"])
        for image in ecl("image", "list", "--name", name, *hidden, "-f", "json").json
    ]


@ways
def test_no_disk(ecl: Command, name: str, disk: Path, tmp_path: Path, way: str) -> None:
    """A compressed file and a page are named, with the option that helps; nothing is active."""
    packed, page = tmp_path / "disk.gz", tmp_path / "page.raw"
    packed.write_bytes(gzip.compress(disk.read_bytes()))
    page.write_bytes(b"<html><body>404</body></html>")

    assert "is compressed with gzip: give --decompress; or upload it as it is with --force" in send(
        ecl, way, name, packed, code=2
    )
    assert "is a web page" in send(ecl, way, name, page, code=2)
    assert set(statuses(ecl, name)) <= {"queued"}
    send(ecl, way, name, packed, "--decompress")


@ways
def test_expected(ecl: Command, name: str, disk: Path, way: str) -> None:
    """A wrong size or hash is an error, and nothing is active; the right ones pass."""
    data = disk.read_bytes()

    assert "has 100000 bytes, not 99999" in send(ecl, way, name, disk, "--size", "99999", code=1)
    assert "has sha256" in send(ecl, way, name, disk, "--sha256", "0" * 64, code=1)
    assert "md5 must be 32 hexadecimal digits" in send(ecl, way, name, disk, "--md5", "xyz", code=2)
    # The service may still have to notice that the last byte will not come.
    assert "active" not in statuses(ecl, name)
    right = ["--size", "100000", "--sha256", hashlib.sha256(data).hexdigest(), "--md5", hashlib.md5(data).hexdigest()]
    send(ecl, way, f"{name}-2", disk, *right)


@ways
def test_empty(ecl: Command, name: str, tmp_path: Path, way: str) -> None:
    """An empty file is an error that names the option."""
    file = tmp_path / "empty"
    file.touch()

    assert "is empty; give --allow-empty if that is right" in send(ecl, way, name, file, code=2)
    assert set(statuses(ecl, name)) <= {"queued"}


def test_forced(ecl: Command, name: str, tmp_path: Path) -> None:
    """--force sends it as it is, also by an import."""
    file = tmp_path / "disk.gz"
    file.write_bytes(gzip.compress(bytes(50_000)))
    for way in ("create", "create --import"):
        send(ecl, way, f"{name}-{way[-6:]}", file, "--force", "--max-bandwidth", "10M", "-f", "json")

    made = [ecl("image", "show", f"{name}-{end}", "-f", "json").json for end in ("create", "import")]
    assert [image["checksum"] for image in made] == [hashlib.md5(file.read_bytes()).hexdigest()] * 2
