"""A database and folders of the release before keys: all images stay, and what was half done is ended."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from ecl.server.data.store.base import StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.db.engine import Database
from ecl.server.db.migrate import upgrade
from ecl.server.process.database import database_url
from ecl.server.settings.model import Settings
from ecl.testing import ImageService
from support.region_service import RegionService, poll, project_id, run_region

DATA = b"0123456789"
#: What the images of the older release were doing.
IDS = {name: str(uuid.uuid4()) for name in ("active", "staged", "saving", "deleted", "queued")}
UPLOAD = str(uuid.uuid4())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a database of schema 0004, as a process leaves it that is killed."""
    images, staging = tmp_path / "images" / "jp1", tmp_path / "staging" / "jp1"
    for path in (images / ".uploads", staging / ".uploads"):
        path.mkdir(parents=True)
    for path in (
        images / IDS["active"],
        images / IDS["deleted"],
        staging / IDS["staged"],
        images / ".uploads" / UPLOAD,
    ):
        path.write_bytes(DATA)
    url = database_url(Settings(tmp_path, database_url=ImageService._default_database_url(tmp_path)))
    with closing(Database(url)) as database, database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        upgrade(connection, "0004")
        statuses = {"staged": "uploading"}
        for name, image_id in IDS.items():
            has_data = name in ("active", "deleted")
            values = {
                "id": image_id,
                "owner": project_id("alpha"),
                "status": statuses.get(name, name),
                "size": len(DATA) if has_data else None,
                "checksum": hashlib.md5(DATA).hexdigest() if has_data else None,
                "upload": UPLOAD if name == "saving" else None,
            }
            connection.execute(
                text(
                    "INSERT INTO images (region, id, status, visibility, owner, disk_format, container_format, size, "
                    "checksum, min_disk, min_ram, protected, os_hidden, created_at, updated_at, upload_id) VALUES "
                    "('jp1', :id, :status, 'private', :owner, 'raw', 'bare', :size, :checksum, 0, 0, false, false, "
                    "1, 1, :upload)"
                ),
                values,
            )
            if has_data:
                statement = "INSERT INTO image_locations VALUES ('jp1', :id, 'folder', 1)"
                connection.execute(text(statement), {"id": image_id})
    return tmp_path


@pytest.fixture
def region(folder: Path) -> Iterator[RegionService]:
    """The new release on that folder."""
    with run_region(folder) as service:
        yield service


@pytest.mark.folder_store
def test_images_of_an_older_release(region: RegionService, folder: Path) -> None:
    """Its images are there under their names; what it left half done is queued, and the bytes of that are gone."""
    client = region.client("alpha")
    active, staged, saving = (f"/v2/images/{IDS[name]}" for name in ("active", "staged", "saving"))

    assert client.get(f"{active}/file").content == DATA
    assert region.data_files() == [folder / "images" / "jp1" / IDS["active"]]
    assert client.get(saving).json()["status"] == "queued"
    assert client.upload(IDS["saving"], b"again").status_code == 204
    assert client.get(f"/v2/images/{IDS['deleted']}").status_code == 404
    assert client.request("POST", f"{staged}/import", json={"method": {"name": "glance-direct"}}).status_code == 202
    poll(lambda: client.get(staged).json()["status"] == "active")
    assert client.get(f"{staged}/file").content == DATA
    poll(lambda: not (folder / "staging" / "jp1" / IDS["staged"]).exists())


@pytest.mark.folder_store
def test_deleting_images_of_an_older_release(region: RegionService) -> None:
    """Their bytes go like those of any other image."""
    client = region.client("alpha")
    for name in ("active", "staged", "saving", "queued"):
        assert client.request("DELETE", f"/v2/images/{IDS[name]}").status_code == 204

    left = [path for path in region.settings.data_dir.rglob("*-*-*-*-*") if path.is_file()]
    assert left == []


@pytest.mark.folder_store
def test_image_of_an_older_release_in_two_stores(folder: Path) -> None:
    """It has one key in both. What is removed from one store later than asked for stays in the other."""
    cheap = folder / "images" / "cheap"
    cheap.mkdir()
    (cheap / IDS["active"]).write_bytes(DATA)
    with run_region(folder, more_stores=[FolderStore(cheap, "cheap")]) as region, region.database.write() as connection:
        statement = "INSERT INTO image_locations (region, image_id, store, created_at) VALUES ('jp1', :id, 'cheap', 1)"
        connection.execute(text(statement), {"id": IDS["active"]})
    with run_region(folder, more_stores=[_FailingOnce(cheap, "cheap")], node_lease=0.2) as region:
        assert region.admin().request("DELETE", f"/v2/stores/cheap/{IDS['active']}").status_code == 204
        assert (cheap / IDS["active"]).exists()
        poll(lambda: not (cheap / IDS["active"]).exists())
        assert region.client("alpha").get(f"/v2/images/{IDS['active']}/file").content == DATA


class _FailingOnce(FolderStore):
    """A folder that cannot remove anything at the first attempt."""

    has_failed = False

    def delete(self, key: str) -> None:
        """Remove the data."""
        if not self.has_failed:
            self.has_failed = True
            raise StoreUnavailable("the disk is gone")
        super().delete(key)
