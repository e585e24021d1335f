"""--dry-run of the commands that change an image: the steps are listed, and no request changes anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Command


def steps(ecl: Command, *words: str) -> list[tuple[str, str]]:
    """Run a command of ``ecl image`` with --dry-run; return action and reason of each step."""
    planned = ecl("image", *words, "--dry-run", "-f", "json").json
    return [(each["action"], each["why"]) for each in planned]


@pytest.fixture
def queued(ecl: Command, name: str) -> str:
    """An image without data and formats on the cloud "here"; its ID."""
    return ecl("image", "create", name, "-f", "value", "-c", "id").out.strip()


def test_create(ecl: Command, name: str, disk: Path) -> None:
    """The step has what would be set and the formats that the file gets; there is no image afterwards."""
    options = ["--file", str(disk), "--min-ram", "512", "--tag", "base", "--property", "os_distro=debian"]

    assert steps(ecl, "create", name, *options) == [
        ("create", f"upload {disk}; min_ram=512, tags=base, container_format=bare, disk_format=raw, os_distro=debian"),
    ]
    assert steps(ecl, "create", name) == [("create", "")]
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_create_of_what_is_refused(ecl: Command, name: str, tmp_path: Path) -> None:
    """A file that an upload refuses is refused by the plan, with the option that helps."""
    page = tmp_path / "disk.qcow2"
    page.write_text("<!DOCTYPE html><html><body>Not Found</body></html>")
    gone = tmp_path / "gone.raw"

    assert "--force" in ecl("image", "create", name, "--file", str(page), "--dry-run", code=2).err
    assert str(gone) in ecl("image", "create", name, "--file", str(gone), "--dry-run", code=2).err


def test_upload(ecl: Command, queued: str, image: str, disk: Path) -> None:
    """The step has the formats that the image gets; an image that has data is refused as it is by an upload."""
    assert steps(ecl, "upload", queued, "--file", str(disk)) == [
        ("upload", f"{disk}; container_format=bare, disk_format=raw"),
    ]
    assert "only while it is queued" in ecl("image", "upload", image, "--file", str(disk), "--dry-run", code=1).err

    shown = ecl("image", "show", queued, "-f", "json").json
    assert (shown["status"], shown["disk_format"]) == ("queued", None)


def test_update(ecl: Command, image: str, name: str) -> None:
    """Each attribute, property and tag is named with its new value, and nothing has changed."""
    before = ecl("image", "show", image, "-f", "json").json

    planned = steps(ecl, "update", image, "--name", "other", "--tag", "base", "--property", "a=1", "--deactivate")

    assert planned == [("update", "name=other, tags=base, a=1"), ("deactivate", "")]
    assert ecl("image", "show", image, "-f", "json").json == before
    assert before["name"] == name


def test_unset_and_tags(ecl: Command, image: str) -> None:
    """What would go or come is named; tags that are there already are no step. Nothing has changed."""
    ecl("image", "update", image, "--tag", "base", "--tag", "old", "--property", "a=1")

    assert steps(ecl, "unset", image, "--tag", "old", "--property", "a") == [("update", "no a, tags=base")]
    assert steps(ecl, "tag", "add", image, "base", "new") == [("add tag", "new")]
    assert steps(ecl, "tag", "remove", image, "old") == [("remove tag", "old")]

    shown = ecl("image", "show", image, "-f", "json").json
    assert (sorted(shown["tags"]), shown["properties"]["a"]) == (["base", "old"], "1")


def test_members(ecl: Command, image: str, project_of: Callable[[str], str]) -> None:
    """Sharing, answering and its end are named with the project; the members are as before."""
    guest = project_of("guest")

    assert steps(ecl, "member", "add", image, guest) == [("share", f"with project {guest}")]
    ecl("image", "member", "add", image, guest)
    answer = ecl("--os-cloud", "guest", "image", "member", "set", image, "-", "accept", "--dry-run", "-f", "json").json
    assert [(each["action"], each["why"]) for each in answer] == [("set accepted", f"as project {guest}")]
    assert steps(ecl, "member", "remove", image, guest) == [("stop sharing", f"with project {guest}")]

    assert ecl("image", "member", "list", image, "-f", "value").out == f"{image} {guest} pending\n"


def test_import(ecl: Command, queued: str) -> None:
    """The step says where the data comes from and where it goes; no task was made."""
    uri = "https://images.example/debian.qcow2"

    assert steps(ecl, "import", queued, "--method", "web-download", "--uri", uri, "--store", "folder") == [
        ("import", f"by web-download from {uri} to folder"),
    ]
    assert ecl("image", "task", "list", queued, "-f", "json").json == []


def test_copy(ecl: Command, image: str, project_of: Callable[[str], str]) -> None:
    """The step says which tenant gets the image; there is no job."""
    there = project_of("there")

    assert steps(ecl, "copy", image, there) == [("copy", f"to tenant {there}")]
    jobs = ecl("image", "copy-job", "list", "-f", "json", "-c", "source_image_id").json
    assert image not in [job["source_image_id"] for job in jobs]


def test_format_without_rows(ecl: Command, image: str) -> None:
    """-f shell has no rows: one line says so."""
    assert "use -f json" in ecl("image", "update", image, "--name", "x", "--dry-run", "-f", "shell", code=2).err
