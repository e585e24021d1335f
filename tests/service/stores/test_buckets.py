"""Images in a bucket: imports move nothing, deletes wait for those who read, and several stores work together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from ecl import exceptions
from ecl.server.data.store.folder import FolderStore
from ecl.testing import ImageService
from support.object_stores import ObjectStorage, prefix_of
from support.region_service import Client, RegionService, poll, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"Content-Type": "application/octet-stream"}
DATA = os.urandom(20 << 20)


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix for this test alone."""
    return f"{request.node.name}-{os.urandom(8).hex()}".replace("[", "-").replace("]", "")


@pytest.fixture
def region(tmp_path: Path, seaweedfs: ObjectStorage, prefix: str) -> Iterator[RegionService]:
    """A region whose default store is in a bucket, with the folder cheap beside it."""
    cheap = FolderStore(tmp_path / "images" / "cheap", "cheap")
    with run_region(tmp_path, store=seaweedfs.store(prefix), more_stores=[cheap]) as service:
        yield service


def _staged(client: Client, data: bytes, **attributes: Any) -> dict[str, Any]:
    image = client.create(**{**RAW, **attributes})
    answer = client.request("PUT", f"/v2/images/{image['id']}/stage", data=data, headers=OCTETS)
    assert answer.status_code == 204, answer.text
    return image


def _imported(client: Client, image: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Import what is staged, wait for the end, and return the image."""
    wanted = {"method": {"name": "glance-direct"}, **body}
    assert client.request("POST", f"/v2/images/{image['id']}/import", json=wanted).status_code == 202
    poll(lambda: "os_glance_import_task" not in client.show(image["id"]))
    return client.show(image["id"])


def test_an_import_moves_nothing(alpha: Client, seaweedfs: ObjectStorage, prefix: str) -> None:
    """What was staged is the image's data: the same one object, which a delete of the image removes."""
    image = _staged(alpha, DATA)
    (staged,) = seaweedfs.objects(prefix)

    assert _imported(alpha, image)["status"] == "active"
    assert seaweedfs.objects(prefix) == [staged]
    assert alpha.get(image["file"]).content == DATA
    assert alpha.request("DELETE", image["self"]).status_code == 204
    assert seaweedfs.objects(prefix) == []


def test_an_import_to_two_stores(region: RegionService, alpha: Client, seaweedfs: ObjectStorage, prefix: str) -> None:
    """The second store gets the data from the first, in either order."""
    for stores in (["folder", "cheap"], ["cheap", "folder"]):
        image = _staged(alpha, DATA)
        shown = _imported(alpha, image, stores=stores)

        assert (shown["status"], shown["stores"]) == ("active", ",".join(stores))
        assert region.data_file(image["id"], "cheap").read_bytes() == DATA
        (stored,) = seaweedfs.objects(prefix)
        assert stored.read_bytes() == DATA
        assert alpha.request("DELETE", image["self"]).status_code == 204


def test_a_failed_import_leaves_nothing(alpha: Client, seaweedfs: ObjectStorage, prefix: str) -> None:
    """Data of another format than declared is gone with its import."""
    image = _staged(alpha, DATA, disk_format="qcow2")

    assert _imported(alpha, image)["status"] == "queued"
    poll(lambda: not seaweedfs.objects(prefix))


def test_a_failed_second_store_takes_back_the_first(
    region: RegionService, alpha: Client, seaweedfs: ObjectStorage, prefix: str
) -> None:
    """If all stores must succeed and one fails, the data that the bucket had is gone, too."""
    image = _staged(alpha, DATA)
    (region.settings.data_dir / "images" / "cheap" / ".uploads").rmdir()

    shown = _imported(alpha, image, stores=["folder", "cheap"])
    assert (shown["status"], shown.get("stores")) == ("queued", None)
    poll(lambda: not seaweedfs.objects(prefix))


def test_a_delete_waits_for_readers(tmp_path: Path, seaweedfs: ObjectStorage, prefix: str) -> None:
    """A download goes on after a delete, as data that is out of use stays for removal_delay seconds."""
    store = seaweedfs.store(prefix, removal_delay=3600)
    with run_region(tmp_path, store=store, node_lease=0.3) as region:
        client = region.client()
        image = client.active(DATA)
        with client.get(image["file"], stream=True) as response:
            received = response.raw.read(1000)
            assert region.client().request("DELETE", image["self"]).status_code == 204
            poll(lambda: _garbage(region, "attempts") == [1])
            received += response.raw.read()
        assert received == DATA
        assert len(seaweedfs.objects(prefix)) == 1

        with region.database.write() as connection:
            connection.execute(text("UPDATE garbage SET not_before = 0"))
        poll(lambda: _garbage(region, "attempts") == [])
        assert seaweedfs.objects(prefix) == []


def test_a_failed_upload_is_removed_at_once(tmp_path: Path, seaweedfs: ObjectStorage, prefix: str) -> None:
    """Nobody can be reading the data of an upload that failed, so it does not wait."""
    with run_region(tmp_path, store=seaweedfs.store(prefix, removal_delay=3600)) as region:
        client = region.client()
        image = client.create(**{**RAW, "disk_format": "qcow2"})
        assert client.upload(image["id"], DATA).status_code == 415
        assert (seaweedfs.objects(prefix), _garbage(region, "attempts")) == ([], [])


def _garbage(region: RegionService, column: str) -> list[Any]:
    with region.database.read() as connection:
        return list(connection.execute(text(f"SELECT {column} FROM garbage")).scalars())


def test_what_the_service_says_of_a_bucket(region: RegionService, alpha: Client, seaweedfs: ObjectStorage) -> None:
    """An administrator sees kind, bucket and address of the store, and the URL of an image's data; no secret."""
    image = alpha.active()
    admin = region.admin()
    details = admin.get("/v2/info/stores/detail")
    (bucket, _) = details.json()["stores"]

    assert (bucket["type"], bucket["properties"]["endpoint"]) == ("s3", seaweedfs.endpoint)
    assert bucket["properties"]["url"].startswith("s3://images/")
    assert "ecivres" not in details.text
    (location,) = admin.get(f"/v2/images/{image['id']}/locations").json()
    assert location["url"].startswith(bucket["properties"]["url"] + "/")


def test_an_interrupted_upload_leaves_no_parts(alpha: Client, region: RegionService) -> None:
    """A client that goes away after several parts leaves no object, and no multipart upload in the bucket."""
    image = alpha.create(**RAW)

    def body() -> Iterator[bytes]:
        yield DATA
        poll(lambda: list(region.region.store.entries()))
        raise ConnectionError

    with pytest.raises(requests.ConnectionError):
        alpha.upload(image["id"], body())
    poll(lambda: alpha.show(image["id"])["status"] == "queued")
    poll(lambda: not list(region.region.store.entries()))


def test_a_killed_service_leaves_no_parts(tmp_path: Path, seaweedfs: ObjectStorage) -> None:
    """What a process that is killed has sent of an upload is removed by the next one, at once."""
    entry = {**seaweedfs.default_store(tmp_path, "jp1"), "removal_delay": 3600}
    store = seaweedfs.store(prefix_of(tmp_path, "jp1"))
    with ImageService(({"name": "jp1", "stores": [entry]},)) as service:
        connection = service.connect()
        image = connection.image.create_image(name="x", disk_format="raw", container_format="bare")

        def body() -> Iterator[bytes]:
            yield DATA
            poll(lambda: list(store.entries()))
            service.kill()
            yield DATA

        with pytest.raises(exceptions.SDKException):
            connection.image.upload_image(image, body())
        service.start()
        poll(lambda: connection.image.get_image(image).status == "queued")
        poll(lambda: not list(store.entries()))


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_copy_to_another_region_goes_from_store_to_store(tmp_path: Path, seaweedfs: ObjectStorage, kind: str) -> None:
    """Between regions of one service no data goes through a request; only the upload of the original does."""
    regions: list[dict[str, Any]] = [{"name": "jp1"}, {"name": "jp2"}]
    if kind == "bucket":
        regions = [{**each, "stores": [seaweedfs.default_store(tmp_path, each["name"])]} for each in regions]
    with ImageService(regions, access_log=True) as service:
        here, there = service.connect("jp1").image, service.connect("jp2").image
        image = here.create_image(name="x", data=DATA, disk_format="raw")
        job = here.copy_image(image.id or "", service.credentials("jp2")["project_id"])
        done = here.wait_for_image_copy(job, interval=0.05)
        copy = there.get_image(done.destination_image_id or "")
        assert (copy.status, copy.os_hash_value) == ("active", image.os_hash_value)
        data_requests = [line for line in service.log.splitlines() if "/file" in line]
        assert len(data_requests) == 1, data_requests
        assert f"/{image.id}/file" in data_requests[0]
        assert there.download_image(copy) == DATA
