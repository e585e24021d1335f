"""Images from the shell: create, show, change, move bytes, delete."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import ECL, Command
from support.images import RealImage


def test_created_image_has_what_was_said(ecl: Command, name: str, disk: Path) -> None:
    """Every attribute option reaches the cloud, and the data is there, verified."""
    made = ecl(
        "image", "create", name, "--file", str(disk), "--min-disk", "2", "--min-ram", "512", "--protected", "--private",
        "--property", "a=b=c", "--tag", "x", "--tag", "x", "--tag", "y", "--os-distro", "alma", "--hidden",
        "--license-switch", "Red_Hat_Enterprise_Linux_7_64bit_BYOL", "-f", "json",
    ).json  # fmt: skip

    assert (made["name"], made["status"], made["disk_format"], made["container_format"]) == (
        name, "active", "raw", "bare",
    )  # fmt: skip
    assert (made["min_disk"], made["min_ram"], made["protected"], made["os_hidden"]) == (2, 512, True, True)
    assert (made["visibility"], made["tags"]) == ("private", ["x", "y"])
    assert made["properties"] == {
        "a": "b=c", "os_distro": "alma", "license_switch": "Red_Hat_Enterprise_Linux_7_64bit_BYOL",
    }  # fmt: skip
    assert made["os_hash_value"] == hashlib.sha512(disk.read_bytes()).hexdigest()


def test_format_is_found_out(ecl: Command, name: str, real_image: Callable[[str], RealImage]) -> None:
    """A qcow2 file becomes a qcow2 image without being told so."""
    made = ecl("image", "create", name, "--file", str(real_image("qcow2").path), "-f", "json").json

    assert made["disk_format"] == "qcow2"


def test_dangerous_image_is_refused_and_nothing_stays(
    ecl: Command, name: str, real_image: Callable[[str], RealImage]
) -> None:
    """A qcow2 with a backing file is refused before there is an image."""
    ended = ecl("image", "create", name, "--file", str(real_image("backed").path), code=2)

    assert "not safe" in ended.err
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_upload_from_standard_input(ecl: Command, name: str, disk: Path) -> None:
    """--file - reads standard input; an image without formats gets those of the data."""
    ecl("image", "create", name)

    sent = ecl("image", "upload", name, "--file", "-", "-f", "json", stdin=disk.read_bytes()).json

    assert (sent["status"], sent["disk_format"], sent["size"]) == ("active", "raw", 100_000)


def test_upload_into_an_image_with_formats(ecl: Command, name: str, disk: Path) -> None:
    """The formats that the image was created with stay."""
    ecl("image", "create", name, "--disk-format", "ami", "--container-format", "ami")

    sent = ecl("image", "upload", name, "--file", str(disk), "-f", "json").json

    assert (sent["status"], sent["disk_format"]) == ("active", "ami")


def test_compressed_file_is_decoded_on_the_way(ecl: Command, name: str, disk: Path) -> None:
    """--decompress uploads what a gzip file holds, into a new image and into a queued one."""
    packed = disk.with_suffix(".gz")
    packed.write_bytes(gzip.compress(disk.read_bytes()))
    ecl("image", "create", f"{name}-2")

    made = ecl("image", "create", name, "--file", str(packed), "--decompress", "-f", "json").json
    sent = ecl("image", "upload", f"{name}-2", "--file", str(packed), "--decompress", "-f", "json").json

    assert made["checksum"] == sent["checksum"] == hashlib.md5(disk.read_bytes()).hexdigest()


def test_download_is_what_was_uploaded(ecl: Command, image: str, disk: Path, tmp_path: Path) -> None:
    """To a file, whose verification is told on stderr, and to standard output."""
    target = tmp_path / "out"

    told = ecl("image", "download", image, "--file", str(target))
    piped = ecl("image", "save", image)

    assert target.read_bytes() == piped.data == disk.read_bytes()
    assert (told.out, told.err) == ("", f"{target}: 97.7 KiB, verified.\n")


def test_download_of_no_data_leaves_no_file(ecl: Command, name: str, tmp_path: Path) -> None:
    """An image without data is one line, and no file."""
    ecl("image", "create", name)

    ended = ecl("image", "download", name, "--file", str(tmp_path / "out"), code=2)

    assert "queued" in ended.err
    assert list(tmp_path.glob("out*")) == []


def test_update_changes_what_is_said_and_adds_tags(ecl: Command, image: str, name: str) -> None:
    """Options change attributes and properties; tags are added to those that are there."""
    ecl("image", "tag-add", image, "old")

    changed = ecl(
        "image", "update", name, "--name", f"{name}-2", "--tag", "new", "--property", "k=v", "--min-disk", "7",
        "--community", "--os-version", "13", "-f", "json",
    ).json  # fmt: skip

    assert (changed["name"], changed["min_disk"], changed["visibility"]) == (f"{name}-2", 7, "community")
    assert changed["tags"] == ["new", "old"]
    assert changed["properties"] == {"k": "v", "os_version": "13"}


def test_unset_takes_off_all_or_nothing(ecl: Command, image: str) -> None:
    """One tag that is not there, and nothing changes."""
    ecl("image", "update", image, "--tag", "a", "--tag", "b", "--property", "k=v")

    refused = ecl("image", "unset", image, "--tag", "a", "--tag", "nope", code=1)
    before = ecl("image", "show", image, "-f", "json").json
    after = ecl("image", "unset", image, "--tag", "a", "--property", "k", "-f", "json").json

    assert "no tag 'nope'; nothing was changed" in refused.err
    assert (before["tags"], before["properties"]) == (["a", "b"], {"k": "v"})
    assert (after["tags"], after["properties"]) == (["b"], {})


def test_tags_of_any_kind(ecl: Command, image: str) -> None:
    """Tags with blanks and slashes come and go; one that is not there is named."""
    ecl("image", "tag-add", image, "a b", "c/d")
    assert ecl("image", "show", image, "-f", "json").json["tags"] == ["a b", "c/d"]

    ecl("image", "tag-remove", image, "c/d")
    assert ecl("image", "show", image, "-f", "json").json["tags"] == ["a b"]
    assert "has no tag 'c/d'" in ecl("image", "tag-remove", image, "c/d", code=1).err


def test_two_of_one_name_are_listed(ecl: Command, name: str) -> None:
    """A name of two images is an error that lists both; --newest takes the later one."""
    first, second = (ecl("image", "create", name, "-f", "json").json for _ in range(2))

    ended = ecl("image", "show", name, code=1)
    newest = ecl("image", "show", name, "--newest", "-f", "value", "-c", "created_at").out.strip()

    assert first["id"] in ended.err
    assert second["id"] in ended.err
    assert len(ended.err.splitlines()) == 1
    assert newest == max(first["created_at"], second["created_at"])


def test_hidden_image_is_found_by_name(ecl: Command, name: str) -> None:
    """What default lists leave out can be shown and brought back by its name."""
    ecl("image", "create", name, "--hidden")

    assert ecl("image", "list", "--name", name, "-f", "json").json == []
    assert ecl("image", "list", "--hidden", "--name", name, "-f", "value", "-c", "name").out == f"{name}\n"
    assert ecl("image", "set", name, "--unhidden", "-f", "json").json["os_hidden"] is False


def test_name_with_an_operator_in_it(ecl: Command, name: str) -> None:
    """A name that the API would read as a filter is a name."""
    odd = f"in:{name},x"
    made = ecl("image", "create", odd, "-f", "json").json

    assert ecl("image", "show", odd, "-f", "json").json["id"] == made["id"]
    assert ecl("image", "list", "--name", odd, "-f", "value", "-c", "id").out.strip() == made["id"]


def test_delete_of_one_needs_no_question(ecl: Command, image: str) -> None:
    """One unprotected image is deleted as it is asked."""
    ecl("image", "delete", image)

    assert "no image with the name or ID" in ecl("image", "show", image, code=1).err


def test_delete_of_several_or_protected_is_refused_without_yes(ecl: Command, name: str) -> None:
    """Where nobody can be asked, nothing is deleted but with --yes; a protected one loses its protection then."""
    first = ecl("image", "create", name, "-f", "json").json["id"]
    second = ecl("image", "create", name, "--protected", "-f", "json").json["id"]

    several = ecl("image", "delete", first, second, code=2)
    protected = ecl("image", "delete", second, code=2)
    dry = ecl("image", "delete", first, second, "--dry-run", "-f", "json")

    assert "Delete 2 images" in several.err
    assert "is protected" in protected.err
    assert dry.json == [
        {"action": "delete", "name": name, "id": first, "why": ""},
        {"action": "delete", "name": name, "id": second, "why": "it is protected"},
    ]
    assert len(ecl("image", "list", "--name", name, "-f", "json").json) == 2

    ecl("image", "delete", first, second, "--yes")
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_nothing_is_deleted_if_one_is_not_found(ecl: Command, image: str) -> None:
    """All images are looked up before the first is deleted."""
    ecl("image", "delete", image, "no-such-image", "--yes", code=1)

    ecl("image", "show", image)


def test_refusal_of_the_cloud_is_one_line_with_a_request_id(ecl: Command, image: str) -> None:
    """What the cloud says no to ends with 1, in its own words and with its request ID."""
    ended = ecl("--os-cloud", "guest", "image", "delete", image, code=1)
    made = ecl("image", "update", image, "--public", code=1)

    assert "no image" in ended.err
    assert "HTTP 403" in made.err
    assert "request ID req-" in made.err
    assert len(made.err.splitlines()) == 1


@pytest.mark.usefixtures("alone")
def test_list_filters(ecl: Command) -> None:
    """Each filter of the list leaves what it says."""
    ecl("image", "create", "a", "--tag", "x", "--tag", "y", "--property", "k=1", "--private", "--disk-format", "iso")
    ecl("image", "create", "b", "--tag", "x", "--property", "k=2", "--community", "--container-format", "bare")
    ecl("image", "create", "c", "--shared")

    def names(*options: str) -> str:
        return ecl("image", "list", "-f", "value", "-c", "name", *options).out.replace("\n", "")

    assert names() == "abc"
    assert names("--tag", "x") == "ab"
    assert names("--tag", "x", "--tag", "y") == "a"
    assert names("--property", "k=2") == "b"
    assert (names("--private"), names("--shared"), names("--public")) == ("a", "c", "")
    assert names("--community", "--sort", "name:desc", "--property", "k=2") == "b"
    assert (names("--disk-format", "iso"), names("--container-format", "bare")) == ("a", "b")
    assert (names("--status", "active"), names("--status", "queued")) == ("", "abc")
    assert (names("--limit", "2"), names("--max-items", "1"), names("--limit", "0")) == ("ab", "a", "")
    assert (names("--page-size", "1"), names("--marker", "a")) == ("abc", "bc")
    assert names("--sort", "name:desc") == "cba"


def test_unreadable_file_is_named(ecl: Command, name: str, tmp_path: Path) -> None:
    """A file that is not there is named, and no image is created for it."""
    ended = ecl("image", "create", name, "--file", str(tmp_path / "none"), code=2)

    assert f"{tmp_path / 'none'} cannot be read" in ended.err
    assert ecl("image", "list", "--name", name, "-f", "json").json == []


def test_reader_that_stops_reading_is_no_error(image: str) -> None:
    """`ecl image list | head -0` ends quietly."""
    shell = f"{ECL} image list --long | true; {ECL} image show {image} -f value -c name 2>&1 >/dev/full"

    ended = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)

    assert ended.stderr == ""
    assert "No space left on device" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_schema_and_licences(ecl: Command) -> None:
    """The schema is the service's document as JSON, and a table of attributes for people."""
    document = ecl("image", "schema-show", "image", "-f", "json").json

    assert document["name"] == "image"
    assert "os_hash_value" in document["properties"]
    assert "os_hash_value" in ecl("image", "schema-show").out
    assert ecl("image", "license-list", "-f", "value").out == "Red_Hat_Enterprise_Linux_7_64bit_BYOL\n"
    for schema in ("images", "member", "metadefs/namespace"):
        assert json.loads(ecl("image", "schema-show", schema, "-f", "json").out)["name"]
