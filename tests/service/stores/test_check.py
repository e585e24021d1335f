"""``ecl serve check``: what is damaged is found, repaired, or no longer served; unknown files are listed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from ecl.server.data.store.folder import FolderStore
from ecl.testing import ImageService
from support.commands import Command, Result
from support.damage import fill, flip_bit, keys_of

#: `make damage` takes more.
COUNT = int(os.environ.get("DAMAGED_IMAGES", "100"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ImageService]:
    """A service whose region jp1 has two stores; jp2 has one."""
    regions = ({"name": "jp1", "stores": [{"name": "one"}, {"name": "two"}]}, {"name": "jp2"})
    with ImageService(regions, data_dir=tmp_path) as running:
        yield running


@pytest.fixture
def check(service: ImageService) -> Callable[..., Result]:
    """``ecl serve check`` beside the service."""

    def run(*words: str, code: int = 0) -> Result:
        return Command()("serve", "check", *words, "--config", str(service.data_dir / "service.json"), code=code)

    return run


def folder(service: ImageService, store: str) -> Path:
    """Return the folder of a store of jp1, or of jp2's only one."""
    return service.data_dir / "images" / ("jp2" if store == "folder" else f"jp1/{store}")


def filled(service: ImageService, *stores: str, count: int = 1) -> dict[str, bytes]:
    """Put images of demo into *stores* of jp1."""
    owner = service.credentials("jp1")["project_id"]
    return fill(service.database, "jp1", [FolderStore(folder(service, name), name) for name in stores], owner, count)


def file_of(service: ImageService, image_id: str, store: str) -> Path:
    """Return the file with the data of an image in *store*."""
    return folder(service, store) / keys_of(service.database, image_id)[store]


def garbage(service: ImageService) -> list[str]:
    """Return the keys that are still to be removed."""
    with service.database.read() as connection:
        return list(connection.execute(text("SELECT key FROM garbage")).scalars())


def download(service: ImageService, image_id: str) -> tuple[int, bytes]:
    """Download without any retry."""
    token = service.connect("jp1").session.get_token() or ""
    url = f"{service.url}/image/jp1/v2/images/{image_id}/file"
    answer = requests.get(url, headers={"X-Auth-Token": token}, timeout=60)
    return answer.status_code, answer.content


def test_a_sound_service(service: ImageService, check: Callable[..., Result]) -> None:
    """With nothing damaged the code is 0; a check with hashes reads each byte of each copy."""
    images = filled(service, "one", "two", count=3)
    assert check("-f", "json").json == {
        "copies": 6,
        "bytes_read": 0,
        "damaged": [],
        "unchecked": [],
        "unknown": [],
    }
    assert check("--hashes", "-f", "json").json["bytes_read"] == 2 * sum(map(len, images.values()))


def test_all_damage_is_found_and_repaired(service: ImageService, check: Callable[..., Result]) -> None:
    """Of images in two stores, each flipped bit, missing byte and missing file is found and repaired."""
    images = filled(service, "one", "two", count=COUNT)
    problems = {}
    for number, image_id in enumerate(images):
        path = file_of(service, image_id, ("one", "two")[number % 2])
        if number % 10 == 8:
            path.write_bytes(path.read_bytes()[:-1])
        elif number % 10 == 9:
            path.unlink()
        else:
            flip_bit(path, number)
        problems[image_id] = {8: "wrong size", 9: "missing"}.get(number % 10, "wrong hash")
    before = {image_id: keys_of(service.database, image_id) for image_id in images}

    found = check("--hashes", "-f", "json", code=3).json["damaged"]
    assert {entry["image_id"]: entry["problem"] for entry in found} == problems
    assert {entry["state"] for entry in found} == {"damaged"}
    assert {image_id: keys_of(service.database, image_id) for image_id in images} == before

    repaired = check("--hashes", "--repair", "-f", "json").json["damaged"]
    assert [(entry["image_id"], entry["state"]) for entry in repaired] == [
        (entry["image_id"], "repaired") for entry in found
    ]
    assert check("--hashes", "-f", "json").json["damaged"] == []
    for entry in repaired:
        keys = keys_of(service.database, entry["image_id"])
        assert keys[entry["store"]] not in before[entry["image_id"]].values()
        for store in keys:
            assert file_of(service, entry["image_id"], store).read_bytes() == images[entry["image_id"]]
        assert not (folder(service, entry["store"]) / entry["key"]).exists()
    assert garbage(service) == []


def test_without_a_good_copy_it_is_not_served(service: ImageService, check: Callable[..., Result]) -> None:
    """Damaged data without any good copy is kept, marked, and 410 until the operator has put good data back."""
    ((image_id, data),) = filled(service, "one").items()
    path = file_of(service, image_id, "one")
    flip_bit(path)
    (entry,) = check("--hashes", "--repair", "-f", "json", code=3).json["damaged"]
    assert (entry["problem"], entry["state"]) == ("wrong hash", "marked")
    status, body = download(service, image_id)
    assert (status, b"is damaged" in body) == (410, True)
    assert path.exists()

    path.write_bytes(data)
    (entry,) = check("--repair", "-f", "json").json["damaged"]
    assert (entry["problem"], entry["state"]) == (None, "sound again")
    assert download(service, image_id) == (200, data)


def test_the_good_copy_is_served_and_kept(service: ImageService, check: Callable[..., Result]) -> None:
    """While one copy is damaged beyond repair, the other is served, and cannot be deleted from its store."""
    ((image_id, data),) = filled(service, "one", "two").items()
    flip_bit(file_of(service, image_id, "one"))
    with service.database.write() as connection:
        connection.execute(text("UPDATE image_locations SET damaged_at = 1 WHERE store = 'one'"))

    assert download(service, image_id) == (200, data)
    token = service.connect("jp1", "admin").session.get_token() or ""
    url = f"{service.url}/image/jp1/v2/stores/two/{image_id}"
    answer = requests.delete(url, headers={"X-Auth-Token": token}, timeout=60)
    assert (answer.status_code, "only good one" in answer.text) == (403, True)


def test_the_copy_of_another_region_repairs(service: ImageService, check: Callable[..., Result]) -> None:
    """An image that was copied to another region is repaired from there."""
    ((image_id, data),) = filled(service, "one").items()
    project = service.credentials("jp2")["project_id"]
    proxy = service.connect("jp1", "admin").image
    job = proxy.copy_image(image_id, project)
    proxy.wait_for_image_copy(job, interval=0.05)
    flip_bit(file_of(service, image_id, "one"))

    (entry,) = check("--hashes", "--repair", "-f", "json").json["damaged"]
    assert entry["state"] == "repaired"
    assert download(service, image_id) == (200, data)


def test_a_store_that_is_away_is_no_damage(service: ImageService, check: Callable[..., Result]) -> None:
    """An unmounted store is named as not checked: nothing in it is marked, and nothing is written to its folder."""
    filled(service, "one", "two", count=3)
    folder(service, "two").rename(service.data_dir / "away")
    folder(service, "two").mkdir()

    found = check("--hashes", "--repair", "-f", "json", code=3).json
    assert (found["copies"], found["damaged"]) == (3, [])
    assert [(entry["store"], entry["copies"]) for entry in found["unchecked"]] == [("two", 3)]
    assert list(folder(service, "two").iterdir()) == []
    folder(service, "two").rmdir()
    (service.data_dir / "away").rename(folder(service, "two"))
    assert check("--hashes").code == 0


def test_unknown_files_are_removed_only_by_name(service: ImageService, check: Callable[..., Result]) -> None:
    """An unknown file is listed with its size and age; it goes when it is named, and a known one does not."""
    ((image_id, _),) = filled(service, "one").items()
    unknown = [folder(service, "one") / str(uuid.uuid4()) for _ in range(2)]
    for path in unknown:
        path.write_bytes(b"12345")
        os.utime(path, (1, 1))
    listed = check("--repair", "-f", "json").json["unknown"]
    assert sorted(entry["key"] for entry in listed) == sorted(path.name for path in unknown)
    assert {(entry["store"], entry["bytes"], entry["age_seconds"] > 10**9) for entry in listed} == {("one", 5, True)}
    assert all(path.exists() for path in unknown)

    assert "use --yes" in check("--remove-unknown", f"one:{unknown[0].name}", code=2).err
    assert unknown[0].exists()
    check("--remove-unknown", f"one:{unknown[0].name}", "--yes")
    assert [path.exists() for path in unknown] == [False, True]
    known = keys_of(service.database, image_id)["one"]
    assert "no unknown file" in check("--remove-unknown", f"one:{known}", "--yes", code=2).err
    assert "no store" in check("--remove-unknown", f"three:{known}", "--yes", code=2).err
    assert "STORE:KEY" in check("--remove-unknown", "one", code=2).err


def test_an_upload_in_progress_is_not_unknown(service: ImageService, check: Callable[..., Result]) -> None:
    """What the running service is writing belongs to an upload, and is not listed."""
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="slow", disk_format="raw", container_format="bare")
    seen: list[Any] = []

    def data() -> Iterator[bytes]:
        yield b"x" * 300_000
        while not list((folder(service, "one") / ".uploads").iterdir()):
            yield b"x"
        seen.append(check("-f", "json").json["unknown"])
        yield b"end"

    token = service.connect("jp1").session.get_token() or ""
    headers = {"X-Auth-Token": token, "Content-Type": "application/octet-stream"}
    url = f"{service.url}/image/jp1/v2/images/{image.id}/file"
    assert requests.put(url, data=data(), headers=headers, timeout=60).status_code == 204
    assert seen == [[]]


def test_tables(service: ImageService, check: Callable[..., Result]) -> None:
    """For people, the check says what is wrong in tables, and sums up on stderr."""
    ((image_id, _),) = filled(service, "one").items()
    shutil.copy(file_of(service, image_id, "one"), folder(service, "one") / str(uuid.uuid4()))
    file_of(service, image_id, "one").unlink()

    result = check(code=3)
    assert image_id in result.out
    assert "missing" in result.out
    assert "Unknown files:" in result.out
    assert "Checked 1 copies, read 0 bytes: 1 damaged, 1 unknown files." in result.err
    assert "There is no region 'xx'" in check("--region", "xx", code=2).err


def test_a_database_of_another_release(service: ImageService, check: Callable[..., Result]) -> None:
    """A command on a database that was not migrated yet says what to do."""
    with service.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0008'"))
    assert "start `ecl serve` of this release on it once" in check(code=1).err
