"""A disk is full: what clients, the operator and monitoring are told, and that all recovers by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ecl.testing import ImageService, ServiceFailed
from support.commands import ECL, Command
from support.region_service import poll
from support.small_disk import fill_up, small_disk

MIB = 1 << 20
RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    with small_disk(tmp_path / "disk", 24) as folder:
        yield folder


class Caller:
    """A client that tries nothing twice."""

    def __init__(self, service: ImageService) -> None:
        self.service = service
        self._headers = {"X-Auth-Token": service.connect().session.get_token() or ""}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request to the region."""
        headers = {**self._headers, **options.pop("headers", {})}
        url = f"{self.service.url}/image/jp1/v2{path}"
        return requests.request(method, url, headers=headers, timeout=60, **options)

    def create(self) -> str:
        """Create an image."""
        answer = self.call("POST", "/images", json=RAW)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def send(self, image_id: str, data: Any, what: str = "file") -> requests.Response:
        """Upload or stage *data*."""
        headers = {"Content-Type": "application/octet-stream"}
        return self.call("PUT", f"/images/{image_id}/{what}", data=data, headers=headers)

    def ready(self) -> dict[str, Any]:
        """Return what ``/readyz`` says."""
        answer = requests.get(f"{self.service.url}/readyz", timeout=60)
        assert answer.status_code == 200
        return dict(answer.json())

    def metric(self, name: str) -> float:
        """Return one metric, with its labels in *name*."""
        lines = requests.get(f"{self.service.url}/metrics", timeout=60).text.splitlines()
        (line,) = (line for line in lines if line.startswith(f"{name} "))
        return float(line.rpartition(" ")[2])


def _service(data_dir: Path, **region: Any) -> ImageService:
    return ImageService(({"name": "jp1", **region},), data_dir=data_dir, metrics_networks=["127.0.0.0/8"])


@pytest.mark.parametrize("declared", [True, False])
def test_a_full_store(tmp_path: Path, disk: Path, declared: bool) -> None:
    """An upload without room is 507 with the store and the bytes; with room again it succeeds."""
    with _service(tmp_path / "data", stores=[{"name": "small", "dir": str(disk)}]) as service:
        caller = Caller(service)
        assert caller.ready()["status"] == "ready"
        filler = fill_up(disk, leave=MIB)
        image_id = caller.create()
        data = b"x" * (4 * MIB)
        answer = caller.send(image_id, data if declared else iter([data[:MIB]] * 4))
        assert answer.status_code == 507
        assert "store small of region jp1 is full" in answer.text
        assert (f"{len(data)} are needed" in answer.text) is declared
        assert caller.call("GET", f"/images/{image_id}").json()["status"] == "queued"
        assert list((disk / ".uploads").iterdir()) == []
        assert caller.metric('ecl_store_free_bytes{region="jp1",store="small"}') <= MIB
        assert caller.ready()["status"] == "degraded"
        assert "is full" in caller.ready()["checks"]["store jp1/small"]

        filler.unlink()
        assert caller.send(image_id, data).status_code == 204
        assert caller.metric('ecl_store_free_bytes{region="jp1",store="small"}') > 8 * MIB
        assert caller.ready()["checks"]["store jp1/small"] == "ok"


@pytest.mark.folder_store
def test_a_full_staging_area(tmp_path: Path, disk: Path) -> None:
    """The staging area has a disk of its own, and is named."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "staging").symlink_to(disk)
    with _service(tmp_path / "data") as service:
        caller = Caller(service)
        fill_up(disk, leave=MIB)
        answer = caller.send(caller.create(), b"x" * (4 * MIB), "stage")
        assert (answer.status_code, "staging area of region jp1 is full" in answer.text) == (507, True)


def test_an_import_into_a_full_store(tmp_path: Path, disk: Path) -> None:
    """The task says which store is full."""
    with _service(tmp_path / "data", stores=[{"name": "small", "dir": str(disk)}]) as service:
        caller = Caller(service)
        image_id = caller.create()
        assert caller.send(image_id, b"x" * (4 * MIB), "stage").status_code == 204
        fill_up(disk, leave=MIB)
        body = {"method": {"name": "glance-direct"}}
        assert caller.call("POST", f"/images/{image_id}/import", json=body).status_code == 202

        def tasks() -> list[dict[str, Any]]:
            return list(caller.call("GET", f"/images/{image_id}/tasks").json()["tasks"])

        poll(lambda: tasks()[0]["status"] == "failure")
        assert "store small of region jp1 is full" in tasks()[0]["message"]


def test_a_full_disk_of_the_database(tmp_path: Path, disk: Path) -> None:
    """Writes are 507, reads go on, readiness and metrics say so; with room again all is well."""
    settings = {"database_url": f"sqlite:///{disk}/ecl.db", "metrics_networks": ["127.0.0.0/8"]}
    with ImageService(("jp1",), data_dir=tmp_path / "data", **settings) as service:
        caller = Caller(service)
        filler = fill_up(disk)
        body = {f"p{number}": "x" * 8192 for number in range(50)}
        answer = caller.call("POST", "/images", json=body)
        # The log that SQLite writes ahead may have some room left.
        for _ in range(20):
            if answer.status_code == 507:
                break
            answer = caller.call("POST", "/images", json=body)
        assert (answer.status_code, "disk of the database is full" in answer.text) == (507, True)
        assert caller.call("GET", "/images").status_code == 200
        assert (caller.ready()["status"], caller.ready()["checks"]["database"]) == ("degraded", "is full")
        assert caller.metric("ecl_database_free_bytes") < MIB

        filler.unlink()
        assert caller.call("POST", "/images", json=body).status_code == 201
        assert caller.ready()["checks"]["database"] == "ok"


@pytest.mark.parametrize("what", ["folder", "database", "store"])
def test_a_start_on_a_full_disk_names_the_path(tmp_path: Path, disk: Path, what: str) -> None:
    """A start without room fails with one line that has the path."""
    fill_up(disk)
    settings: dict[str, Any] = {"port": 0, "data_dir": str(disk / "data" if what == "folder" else tmp_path / "data")}
    if what == "database":
        settings["database_url"] = f"sqlite:///{disk}/ecl.db"
    if what == "store":
        settings["regions"] = [{"name": "jp1", "store_dir": str(disk / "images")}]
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    done = subprocess.run(
        [ECL, "serve", "--config", str(config)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert str(disk) in line


def test_an_unmounted_store_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    """Where the database knows images, an empty folder is refused, until the operator accepts the loss."""
    store = tmp_path / "store"
    with _service(tmp_path / "data", store_dir=str(store)) as service:
        image = service.connect().image.create_image(name="x", data=b"0123456789", **RAW)
        service.stop()
        store.rename(tmp_path / "away")
        store.mkdir()
        with pytest.raises(ServiceFailed, match=f"{store} is empty, but the database knows data in it"):
            service.start()
        # It has nothing: neither a marker nor a place for uploads.
        store.rmdir()
        (tmp_path / "away").rename(store)
        service.start()
        assert service.connect().image.download_image(image) == b"0123456789"

        service.stop()
        store.rename(tmp_path / "away")
        store.mkdir()
        words = ("serve", "check", "--accept-empty", "folder", "--config", str(tmp_path / "data" / "service.json"))
        assert "use --yes" in Command()(*words, code=2).err
        assert "no store 'x'" in Command()(*words[:3], "x", *words[4:], code=2).err
        Command()(*words, "--yes")
        service.start()
        assert "without its marker" in Command()(*words, "--yes", code=2).err


def test_an_upload_into_an_unmounted_store(tmp_path: Path) -> None:
    """A store whose disk goes away under the running service takes no data, even where its folders are."""
    store = tmp_path / "store"
    with _service(tmp_path / "data", store_dir=str(store)) as service:
        caller = Caller(service)
        image_id = caller.create()
        store.rename(tmp_path / "away")
        (store / ".uploads").mkdir(parents=True)
        assert caller.send(image_id, b"0123456789").status_code == 503
        assert [path for path in store.rglob("*") if path.is_file()] == []


@pytest.mark.folder_store
def test_a_lost_marker_alone_is_written_anew(tmp_path: Path) -> None:
    """A folder with the data but without the marker is the right one: a release without markers left it so."""
    with _service(tmp_path / "data") as service:
        image = service.connect().image.create_image(name="x", data=b"0123456789", **RAW)
        service.stop()
        marker = tmp_path / "data" / "images" / "jp1" / ".ecl-store.json"
        marker.unlink()
        service.start()
        assert marker.exists()
        assert service.connect().image.download_image(image) == b"0123456789"
