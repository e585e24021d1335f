"""Nothing is removed that the database does not know, and two databases never share a folder."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from ecl.testing import ImageService, ServiceFailed
from support.region_service import poll
from support.stored import stored_file

MARKER = ".ecl-store.json"


def _service(data_dir: Path, store_dir: Path, **settings: Any) -> ImageService:
    return ImageService(({"name": "jp1", "store_dir": str(store_dir)},), data_dir=data_dir, **settings)


def _create(service: ImageService, data: bytes | None = b"0123456789") -> str:
    image = service.connect().image.create_image(name="kept", data=data, disk_format="raw", container_format="bare")
    return str(image.id)


def _foreign_files(folder: Path, number: int) -> list[Path]:
    """Put files into *folder* that are named as those of another image service."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / str(uuid.uuid4()) for _ in range(number)]
    for path in paths:
        path.write_bytes(b"not ours")
    return paths


def _warnings(service: ImageService, number: int) -> list[str]:
    """Return the warnings about unknown files, once there are *number* of them: they come after the start."""

    def written() -> list[str]:
        return [line for line in service.log.splitlines() if "unknown to the database" in line]

    poll(lambda: len(written()) >= number)
    return written()


def _stored(service: ImageService, image_id: str) -> Path:
    return stored_file(service.database, service.data_dir.parent, image_id)


def test_files_of_another_service_are_kept(tmp_path: Path) -> None:
    """A fresh database over a folder with images of another service: all stay, and one warning says so."""
    files = _foreign_files(tmp_path / "glance", 5)
    uploads = _foreign_files(tmp_path / "glance" / ".uploads", 2)
    with _service(tmp_path / "data", tmp_path / "glance") as service:
        (warning,) = _warnings(service, 1)
        service.stop()
        service.start()

        assert all(path.read_bytes() == b"not ours" for path in files + uploads)
        assert "7 files (56 bytes)" in warning
        assert str(tmp_path / "glance") in warning
        assert sum(path.name in warning for path in files + uploads) == 3
        assert len(_warnings(service, 2)) == 2


def test_files_in_the_staging_folder_are_kept(tmp_path: Path) -> None:
    """A staged file that the database does not know stays, too."""
    (file,) = _foreign_files(tmp_path / "data" / "staging" / "jp1", 1)
    with _service(tmp_path / "data", tmp_path / "images") as service:
        (warning,) = _warnings(service, 1)

        assert file.exists()
        assert "store staging" in warning


@pytest.mark.parametrize("moment", ["before the image is made", "while the image is queued"])
def test_restored_database_keeps_newer_images(tmp_path: Path, moment: str) -> None:
    """Bytes that came after the backup stay when the backup is put back, and the service starts."""
    data_dir, store = tmp_path / "data", tmp_path / "images"
    with _service(data_dir, store, database_url=None) as service:
        image_id = _create(service, None) if moment == "while the image is queued" else None
        service.stop()
        shutil.copy(data_dir / "ecl.db", tmp_path / "backup.db")
        service.start()
        proxy = service.connect().image
        if image_id is None:
            image_id = _create(service)
        else:
            proxy.upload_image(image_id, b"0123456789")
        file = _stored(service, image_id)
        service.stop()
        service.database.close()
        shutil.copy(tmp_path / "backup.db", data_dir / "ecl.db")
        service.start()

        assert file.name in _warnings(service, 1)[-1]
        assert file.read_bytes() == b"0123456789"


def test_restored_database_keeps_newer_staged_bytes(tmp_path: Path) -> None:
    """Staged bytes that came after the backup stay when the backup is put back."""
    data_dir = tmp_path / "data"
    with _service(data_dir, tmp_path / "images", database_url=None) as service:
        image_id = _create(service, None)
        service.stop()
        shutil.copy(data_dir / "ecl.db", tmp_path / "backup.db")
        service.start()
        service.connect().image.stage_image(image_id, b"0123456789")
        service.stop()
        shutil.copy(tmp_path / "backup.db", data_dir / "ecl.db")
        service.start()

        assert "store staging" in _warnings(service, 1)[-1]
        assert [path.read_bytes() for path in _data_in(data_dir / "staging" / "jp1")] == [b"0123456789"]


def _data_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MARKER]


def test_file_with_the_id_of_a_deleted_image(tmp_path: Path) -> None:
    """A file that appears under the ID of a deleted image is not the service's: it is reported, and stays."""
    with _service(tmp_path / "data", tmp_path / "images") as service:
        image_id = _create(service)
        service.connect().image.delete_image(image_id)
        (tmp_path / "images" / image_id).write_bytes(b"left")
        service.stop()
        service.start()

        assert image_id in _warnings(service, 1)[-1]
        assert (tmp_path / "images" / image_id).read_bytes() == b"left"


def test_an_id_that_a_client_chose(tmp_path: Path) -> None:
    """An image without bytes that took a foreign file's name as its ID does not take the file with it."""
    (file,) = _foreign_files(tmp_path / "images", 1)
    with _service(tmp_path / "data", tmp_path / "images") as service:
        proxy = service.connect().image
        proxy.delete_image(proxy.create_image(id=file.name, disk_format="raw", container_format="bare"))
        service.stop()
        service.start()

        assert file.read_bytes() == b"not ours"


def test_unfinished_uploads_of_others_are_kept(tmp_path: Path) -> None:
    """An unfinished upload that the database does not know is reported, and stays, also beside our marker."""
    with _service(tmp_path / "data", tmp_path / "images") as service:
        service.stop()
        (file,) = _foreign_files(tmp_path / "images" / ".uploads", 1)
        service.start()

        assert file.name in _warnings(service, 1)[-1]
        assert file.read_bytes() == b"not ours"


def test_every_folder_has_a_marker(tmp_path: Path) -> None:
    """The folders of stores and staging say whose they are; a read-only store is not written to."""
    (tmp_path / "old").mkdir()
    stores = [{"name": "fast"}, {"name": "old", "dir": str(tmp_path / "old"), "read_only": True}]
    with ImageService(({"name": "jp1", "stores": stores},), data_dir=tmp_path / "data") as service:
        markers = sorted(service.data_dir.rglob(MARKER))
        told = [json.loads(path.read_text()) for path in markers]

        assert [path.parent for path in markers] == [
            tmp_path / "data" / "images" / "jp1" / "fast",
            tmp_path / "data" / "staging" / "jp1",
        ]
        assert [(each["region"], each["store"], each["version"]) for each in told] == [
            ("jp1", "fast", 1),
            ("jp1", "staging", 1),
        ]
        assert {each["database"] for each in told} == {str(uuid.UUID(told[0]["database"]))}
        assert list((tmp_path / "old").iterdir()) == []


def test_store_of_another_service(tmp_path: Path) -> None:
    """A second service with the same store_dir is refused, and may read it if it is read-only there."""
    store = tmp_path / "images"
    with _service(tmp_path / "one", store) as first:
        image_id = _create(first)
        with pytest.raises(ServiceFailed, match=f"{store} belongs to .* a folder of its own"):
            _service(tmp_path / "two", store).start()
        stores = [{"name": "folder"}, {"name": "archive", "dir": str(store), "read_only": True}]
        with ImageService(({"name": "jp1", "stores": stores},), data_dir=tmp_path / "three"):
            pass
        assert first.connect().image.download_image(image_id) == b"0123456789"


def test_another_database(tmp_path: Path) -> None:
    """With another database on the same data folder the service refuses, and the old passwords are still there."""
    with ImageService(("jp1",), data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path}/one.db") as service:
        image_id = _create(service)
        file = _stored(service, image_id)
    clouds = service.clouds_yaml.read_text()
    with pytest.raises(ServiceFailed, match="restore the database"):
        ImageService(("jp1",), data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path}/two.db").start()

    assert service.clouds_yaml.read_text() == clouds
    assert file.read_bytes() == b"0123456789"


def test_removed_database(tmp_path: Path) -> None:
    """When the database is gone the service does not start with an empty one, until the markers are removed."""
    with _service(tmp_path / "data", tmp_path / "images", database_url=None) as service:
        file = _stored(service, _create(service))
        service.stop()
        service.database.close()
        (tmp_path / "data" / "ecl.db").unlink()
        with pytest.raises(ServiceFailed, match=f"remove .*{MARKER}"):
            service.start()
        for marker in tmp_path.rglob(MARKER):
            marker.unlink()
        service.start()

        assert file.name in _warnings(service, 1)[-1]
        assert file.read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"database": "x", "region": "jp1", "store": "folder", "version": 2}', "newer release"),
        ('{"database": "x", "region": "jp2", "store": "folder", "version": 1}', "region jp2"),
        ('{"database": "x", "region": "jp1", "store": "other", "version": 1}', "store other"),
    ],
)
def test_markers_that_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    """A marker that names another region or store, or cannot be understood, stops the start."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / MARKER).write_text(text)

    with pytest.raises(ServiceFailed, match=problem):
        _service(tmp_path / "data", tmp_path / "images").start()
    assert (tmp_path / "images" / MARKER).read_text() == text


def test_renamed_store(tmp_path: Path) -> None:
    """The same database with another name for the store is refused: its images would not be found."""
    with _service(tmp_path / "data", tmp_path / "images"):
        pass
    renamed = {"name": "jp1", "stores": [{"name": "fast", "dir": str(tmp_path / "images")}]}
    with pytest.raises(ServiceFailed, match="belongs to the store folder"):
        ImageService((renamed,), data_dir=tmp_path / "data").start()


def test_database_without_markers_is_taken_over(tmp_path: Path) -> None:
    """A deployment from before there were markers gets them at its first start, and its images stay."""
    with _service(tmp_path / "data", tmp_path / "images") as service:
        image_id = _create(service)
        service.stop()
        for marker in tmp_path.rglob(MARKER):
            marker.unlink()
        service.start()

        assert (tmp_path / "images" / MARKER).exists()
        assert service.connect().image.download_image(image_id) == b"0123456789"
