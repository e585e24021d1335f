"""Staging, import, stores, and images that nobody may download."""

from __future__ import annotations

import hashlib
from pathlib import Path

from support.commands import Command


def test_staged_data_is_imported(ecl: Command, name: str, disk: Path) -> None:
    """stage, then import --wait: the image is active with that data."""
    ecl("image", "create", name, "--disk-format", "raw", "--container-format", "bare")

    staged = ecl("image", "stage", name, "--file", str(disk), "-f", "json").json
    done = ecl("image", "import", name, "--wait", "-f", "json").json

    assert staged["status"] == "uploading"
    assert (done["status"], done["checksum"]) == ("active", hashlib.md5(disk.read_bytes()).hexdigest())


def test_create_by_import(ecl: Command, name: str, disk: Path) -> None:
    """--import takes the other way in, and ends with the same image."""
    made = ecl("image", "create", name, "--import", "--file", str(disk), "-f", "json").json

    assert (made["status"], made["disk_format"], made["size"]) == ("active", "raw", 100_000)


def test_import_of_nothing_is_the_clouds_no(ecl: Command, name: str) -> None:
    """Nothing was staged, and the cloud says so; a method without what it needs is refused here."""
    ecl("image", "create", name, "--disk-format", "raw", "--container-format", "bare")

    assert "HTTP 409" in ecl("image", "import", name, code=1).err
    assert "web-download needs uri" in ecl("image", "import", name, "--method", "web-download", code=2).err
    assert "did you mean 'web-download'?" in ecl("image", "import", name, "--method", "web-downlod", code=2).err


def test_failed_create_by_import_leaves_nothing(ecl: Command, name: str, disk: Path) -> None:
    """What the cloud does not take is deleted again."""
    ecl("image", "create", name, "--import", "--file", str(disk), "--disk-format", "qcow2", "--force", code=1)

    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_stores_are_listed(ecl: Command) -> None:
    """The embedded service has one, which is the default."""
    assert [each["default"] for each in ecl("image", "stores", "-f", "json").json] == [True]
    assert ecl("image", "stores", "list").out == ecl("image", "stores").out


def test_deactivated_image_cannot_be_downloaded(ecl: Command, image: str, tmp_path: Path) -> None:
    """deactivate, activate, and the same by openstack's options."""
    target = tmp_path / "out"

    assert ecl("image", "deactivate", image, "-f", "json").json["status"] == "deactivated"
    assert "HTTP 403" in ecl("image", "download", image, "--file", str(target), code=1).err
    assert not target.exists()
    assert ecl("image", "activate", image, "-f", "json").json["status"] == "active"
    assert ecl("image", "set", image, "--deactivate", "-f", "json").json["status"] == "deactivated"
    assert ecl("image", "set", image, "--activate", "-f", "json").json["status"] == "active"
    ecl("image", "download", image, "--file", str(target))
