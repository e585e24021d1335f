"""``ecl serve backup`` and ``ecl serve restore``: everything that was acknowledged before the backup began is in it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ecl import exceptions
from ecl.server.data.backups.hold import HoldLost, held_garbage
from ecl.server.db.engine import Database
from ecl.testing import ImageService
from support.commands import Command, Result
from support.region_service import poll
from support.stored import stored_file

#: Backups have links to the files of a store where they can.
pytestmark = pytest.mark.folder_store

RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ImageService]:
    """A service."""
    with ImageService(("jp1", "jp2"), data_dir=tmp_path / "original", node_lease=1) as running:
        yield running


def backup(service: ImageService, folder: Path, *words: str, code: int = 0) -> Result:
    """Run ``ecl serve backup``."""
    config = str(service.data_dir / "service.json")
    return Command()("serve", "backup", str(folder), *words, "--config", config, code=code)


def restored(tmp_path: Path, service: ImageService, folder: Path, *words: str) -> ImageService:
    """Restore the backup in *folder*, and return the stopped service on it."""
    other = ImageService(("jp1", "jp2"), data_dir=tmp_path / "restored")
    config = _settings_of(other, tmp_path)
    Command()("serve", "restore", str(folder), *words, "--config", str(config))
    return other


def _settings_of(other: ImageService, tmp_path: Path) -> Path:
    url = ImageService._default_database_url(other.data_dir)
    if url is not None:
        with closing(Database(url)) as database, database.write() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    config = tmp_path / "restored.json"
    config.write_text(json.dumps({"data_dir": str(other.data_dir), **({"database_url": url} if url else {})}))
    return config


def identity_of(service: ImageService) -> str:
    """Return the UUID of the database."""
    with service.database.read() as connection:
        return str(connection.execute(text("SELECT id FROM database_identity")).scalar_one())


def files_of(service: ImageService) -> list[Path]:
    """Return the files with data."""
    return [path for path in (service.data_dir / "images").rglob("*") if path.is_file() and path.name[0] != "."]


class Load:
    """Clients that upload and delete until they are stopped."""

    def __init__(self, service: ImageService, old: list[str]) -> None:
        self.hashes: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self.doomed = list(old)
        self.failures: list[BaseException] = []
        self._service = service
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._upload, self._delete)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        assert self.failures == []

    def _guarded(self, work: Any) -> None:
        try:
            proxy = self._service.connect("jp1").image
            while not self._ended.is_set():
                work(proxy)
        except BaseException as exc:
            self.failures.append(exc)

    def _upload(self, proxy: Any) -> None:
        data = os.urandom(100_000)
        image = proxy.create_image(name="new", data=data, **RAW)
        self.hashes[image.id] = hashlib.sha512(data).hexdigest()
        self.acknowledged.add(image.id)

    def _delete(self, proxy: Any) -> None:
        if self.doomed:
            proxy.delete_image(self.doomed.pop())
        else:
            self._ended.wait(0.01)


def test_a_backup_under_load(service: ImageService, tmp_path: Path) -> None:
    """What was acknowledged before the backup is restored with right data, also what is deleted meanwhile."""
    proxy = service.connect("jp1").image
    hashes = {}
    for number in range(40):
        data = os.urandom(50_000 + number)
        image = proxy.create_image(name="old", data=data, **RAW)
        hashes[image.id] = hashlib.sha512(data).hexdigest()
    kept = list(hashes)[:20]
    with Load(service, list(hashes)[20:]) as load:
        poll(lambda: len(load.acknowledged) >= 3 and len(load.doomed) < 15)
        before = set(load.acknowledged)
        backup(service, tmp_path / "backup")
    with restored(tmp_path, service, tmp_path / "backup") as other:
        images = other.connect("jp1").image
        listed = {image.id: image for image in images.images(limit=100)}
        assert set(kept) | before <= set(listed)
        for image_id, image in listed.items():
            if image.image_status != "active":
                assert image_id not in set(hashes) | before
                continue
            found = hashlib.sha512(images.download_image(image)).hexdigest()
            assert found == image.os_hash_value
            assert found == {**hashes, **load.hashes}.get(image_id, found)
        assert identity_of(other) != identity_of(service)


@pytest.mark.parametrize("words", [(), ("--copy",)])
def test_links_and_copies_are_independent(service: ImageService, tmp_path: Path, words: tuple[str, ...]) -> None:
    """A deletion in one of the three (original, backup, restored copy) takes nothing from the others."""
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="x", data=b"0123456789", **RAW)
    said = backup(service, tmp_path / "backup", *words).err
    assert ("1 of them links" in said) is not words
    original = stored_file(service.database, service.data_dir, image.id)
    (copy,) = (tmp_path / "backup").rglob(original.name)
    assert (copy.stat().st_ino == original.stat().st_ino) is not words

    with restored(tmp_path, service, tmp_path / "backup", *words) as other:
        other.connect("jp1").image.delete_image(image.id)
        poll(lambda: files_of(other) == [])
        assert proxy.download_image(image.id) == b"0123456789"
    proxy.delete_image(image.id)
    poll(lambda: not original.exists())
    assert copy.read_bytes() == b"0123456789"


def test_a_hold_keeps_garbage(service: ImageService) -> None:
    """Deleted data stays while a hold is valid, and goes by itself after that."""
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="x", data=b"0123456789", **RAW)
    path = stored_file(service.database, service.data_dir, image.id)
    with held_garbage(service.database, 30):
        proxy.delete_image(image.id)
        with pytest.raises(exceptions.NotFoundException):
            proxy.get_image(image.id)
        # The reaper has had its turn when it has renewed the lease of its process twice.
        for _ in range(2):
            _one_renewal(service)
        assert path.exists()
    poll(lambda: not path.exists())


def _one_renewal(service: ImageService) -> None:
    def expiry() -> int:
        with service.database.read() as connection:
            return int(connection.execute(text("SELECT max(expires_at) FROM nodes")).scalar_one())

    before = expiry()
    poll(lambda: expiry() > before)


def test_a_hold_ends_when_its_process_dies(service: ImageService) -> None:
    """A hold that nobody renews ends after its lease."""
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="x", data=b"0123456789", **RAW)
    path = stored_file(service.database, service.data_dir, image.id)
    with service.database.write() as connection:
        soon = text("INSERT INTO garbage_holds SELECT id, 'dead', expires_at + 1000000 FROM nodes")
        connection.execute(soon)
    proxy.delete_image(image.id)
    assert path.exists()
    poll(lambda: not path.exists())


def test_a_hold_that_is_lost_fails_the_backup(service: ImageService) -> None:
    """Whoever worked under a hold that has ended meanwhile is told: data may have been removed."""
    with pytest.raises(HoldLost), held_garbage(service.database, 30), service.database.write() as connection:
        connection.execute(text("DELETE FROM garbage_holds"))


def test_staged_data_is_in_it(service: ImageService, tmp_path: Path) -> None:
    """Data that waits for its import can be imported after the restore."""
    proxy = service.connect("jp1").image
    image = proxy.create_image(name="x", **RAW)
    proxy.stage_image(image, b"0123456789")
    backup(service, tmp_path / "backup")
    with restored(tmp_path, service, tmp_path / "backup") as other:
        there = other.connect("jp1").image
        there.import_image(image.id)
        there.wait_for_image(image.id, interval=0.05)
        assert there.download_image(image.id) == b"0123456789"


def test_missing_data_is_told(service: ImageService, tmp_path: Path) -> None:
    """A file that is not there, or too short, is named; the code is 3, and the rest is backed up."""
    proxy = service.connect("jp1").image
    images = [proxy.create_image(name="x", data=b"0123456789", **RAW) for _ in range(3)]
    gone, short, _ = (stored_file(service.database, service.data_dir, image.id) for image in images)
    gone.unlink()
    short.write_bytes(b"0")
    said = backup(service, tmp_path / "backup", code=3).err
    assert (gone.name in said, short.name in said, "2 files are missing or have a wrong size" in said) == (True,) * 3


def test_folders_that_cannot_be(service: ImageService, tmp_path: Path) -> None:
    """Nothing is written over: what is wrong with a folder is said in one line."""
    backup(service, tmp_path / "backup")
    assert "is not empty" in backup(service, tmp_path / "backup", code=1).err
    (tmp_path / "file").write_text("")
    assert "file" in backup(service, tmp_path / "file" / "x", code=1).err

    def restore(folder: Path, target: Path, code: int = 1) -> str:
        data = {"data_dir": str(target), "database_url": f"sqlite:///{target}/ecl.db"}
        config = tmp_path / "config.json"
        config.write_text(json.dumps(data))
        return Command()("serve", "restore", str(folder), "--config", str(config), code=code).err

    assert "not a backup" in restore(tmp_path, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("")
    assert "is not empty" in restore(tmp_path / "backup", tmp_path / "used") or not service.database.is_sqlite


def test_regions_that_the_settings_do_not_have(service: ImageService, tmp_path: Path) -> None:
    """A restore with settings that lack a region stops before any data is written, and leaves no service to start."""
    if not service.database.is_sqlite:
        pytest.skip("the database would have to be emptied again")
    service.connect("jp2").image.create_image(name="x", data=b"0123456789", **RAW)
    backup(service, tmp_path / "backup")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"data_dir": str(tmp_path / "new"), "regions": [{"name": "jp1"}]}))
    said = Command()("serve", "restore", str(tmp_path / "backup"), "--config", str(config), code=1).err
    assert "region jp2" in said
    assert not (tmp_path / "new" / "ecl.db").exists()
