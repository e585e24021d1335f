"""Several stores in a region: where bytes go, where they are read, and who may know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl import exceptions
from ecl.server.data.region import open_region
from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.model import RegionSettings, Settings, StoreSettings
from ecl.testing import ImageService
from support.region_service import Client, RegionService, poll, run_region
from support.stored import stored_file


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region with the stores folder, cheap, and the read-only old."""
    (tmp_path / "old").mkdir()
    cheap = FolderStore(tmp_path / "images" / "cheap", "cheap", "the second one")
    old = FolderStore(tmp_path / "old", "old", read_only=True)
    with run_region(tmp_path, more_stores=[cheap, old]) as service:
        yield service


def _in(alpha: Client, store: str, data: bytes = b"0123456789") -> dict[str, Any]:
    image = alpha.create(disk_format="raw", container_format="bare")
    assert alpha.upload(image["id"], data, {"X-Image-Meta-Store": store}).status_code == 204
    return alpha.show(image["id"])


def _copied(admin: Client, image: dict[str, Any]) -> None:
    body = {"method": {"name": "copy-image"}, "all_stores": True}
    assert admin.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 202
    poll(lambda: "os_glance_import_task" not in admin.show(image["id"]))
    assert admin.show(image["id"])["stores"] == "folder,cheap"


@pytest.mark.folder_store
def test_discovery(region: RegionService, alpha: Client, admin: Client) -> None:
    """Names and flags are for everybody, how a store is set up for administrators and services."""
    assert alpha.get("/v2/info/stores").json() == {
        "stores": [
            {"id": "folder", "default": "true"},
            {"id": "cheap", "description": "the second one"},
            {"id": "old", "read-only": "true"},
        ]
    }
    assert alpha.get("/v2/info/stores/detail").status_code == 403
    assert region.client("beta", roles=("service",)).get("/v2/info/stores/detail").status_code == 200
    details = admin.get("/v2/info/stores/detail").json()["stores"]
    assert [(each["type"], each["weight"]) for each in details] == [("file", 0)] * 3
    assert details[1]["properties"] == {"data_dir": str(region.settings.data_dir / "images" / "cheap")}


def test_upload_to_a_chosen_store(alpha: Client, region: RegionService) -> None:
    """X-Image-Meta-Store says where; the image and every list say where it is, and the bytes are there."""
    image = _in(alpha, "cheap")

    assert image["stores"] == "cheap"
    assert list(image)[-1] == "stores"
    (listed,) = alpha.get("/v2/images").json()["images"]
    assert listed["stores"] == "cheap"
    file = region.data_file(image["id"], "cheap")
    assert file.parent == region.settings.data_dir / "images" / "cheap"
    assert file.read_bytes() == b"0123456789"
    assert alpha.get(f"/v2/images/{image['id']}/file").content == b"0123456789"
    assert alpha.active()["stores"] == "folder"


@pytest.mark.parametrize(("store", "status"), [("none", 400), ("old", 410), ("", 400), ("staging", 400)])
def test_upload_to_no_such_store(alpha: Client, store: str, status: int) -> None:
    """400 for one that is not there, 410 for one that takes no data; the image stays queued."""
    image = alpha.create(disk_format="raw", container_format="bare")

    assert alpha.upload(image["id"], b"x", {"X-Image-Meta-Store": store}).status_code == status
    assert alpha.show(image["id"])["status"] == "queued"


def test_preferred_store(alpha: Client, admin: Client, region: RegionService) -> None:
    """?prefer= is tried first; without it the default store is; one that fails is passed over."""
    image = _in(alpha, "folder")
    _copied(admin, image)
    path = f"/v2/images/{image['id']}/file"
    # Of the same size, so that it can be told which store was read.
    region.data_file(image["id"], "cheap").write_bytes(b"abcdefghij")

    assert alpha.get(path).content == b"0123456789"
    assert alpha.get(f"{path}?prefer=cheap").content == b"abcdefghij"
    assert alpha.get(f"{path}?prefer=cheap,folder").content == b"abcdefghij"
    assert alpha.get(f"{path}?prefer=old").content == b"0123456789"
    assert alpha.get(f"{path}?prefer=none").status_code == 400
    region.data_file(image["id"], "cheap").unlink()
    assert alpha.get(f"{path}?prefer=cheap").content == b"0123456789"


def test_delete_from_a_store(alpha: Client, admin: Client, region: RegionService) -> None:
    """An administrator takes an image out of one store; the last one keeps it."""
    image = _in(alpha, "folder")
    path = f"/v2/stores/folder/{image['id']}"

    assert alpha.request("DELETE", path).status_code == 403
    assert admin.request("DELETE", path).status_code == 403
    _copied(admin, image)
    assert admin.request("DELETE", f"/v2/stores/none/{image['id']}").status_code == 409
    assert admin.request("DELETE", f"/v2/stores/old/{image['id']}").status_code == 404
    assert admin.request("DELETE", "/v2/stores/folder/3e1b9b3c-0000-4000-8000-000000000000").status_code == 404
    assert admin.request("DELETE", path).status_code == 204
    assert alpha.show(image["id"])["stores"] == "cheap"
    assert [file.parent.name for file in region.data_files()] == ["cheap"]
    assert alpha.get(f"/v2/images/{image['id']}/file").content == b"0123456789"


def test_delete_removes_the_bytes_everywhere(alpha: Client, admin: Client, region: RegionService) -> None:
    """A deleted image leaves nothing in any store."""
    image = _in(alpha, "folder")
    _copied(admin, image)

    assert alpha.request("DELETE", f"/v2/images/{image['id']}").status_code == 204
    assert region.data_files() == []


def test_weights(tmp_path: Path) -> None:
    """The heaviest store that has the data is read first, before the default one; `prefer` still counts first."""
    heavy = FolderStore(tmp_path / "images" / "heavy", "heavy", weight=100)
    light = FolderStore(tmp_path / "images" / "light", "light", weight=-1)
    with run_region(tmp_path, more_stores=[light, heavy]) as service:
        alpha, admin = service.client("alpha"), service.admin()
        image = _in(alpha, "light")
        body = {"method": {"name": "copy-image"}, "all_stores": True}
        assert admin.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 202
        poll(lambda: admin.show(image["id"])["stores"].count(",") == 2)
        for store, data in (("folder", b"F" * 10), ("light", b"L" * 10), ("heavy", b"H" * 10)):
            service.data_file(image["id"], store).write_bytes(data)
        path = f"/v2/images/{image['id']}/file"

        assert alpha.get(path).content == b"H" * 10
        assert alpha.get(f"{path}?prefer=light").content == b"L" * 10
        assert alpha.show(image["id"])["stores"] == "heavy,folder,light"
        urls = admin.get(f"/v2/images/{image['id']}/locations").json()
        assert [entry["metadata"]["store"] for entry in urls] == ["heavy", "folder", "light"]
        details = admin.get("/v2/info/stores/detail").json()["stores"]
        assert [entry["weight"] for entry in details] == [0, -1, 100]
        service.data_file(image["id"], "heavy").unlink()
        assert alpha.get(path).content == b"F" * 10


def test_stores_of_the_settings(tmp_path: Path) -> None:
    """A store has its own folder, the one called folder that of before; the default can be any that is writable."""
    stores = (StoreSettings("old", read_only=True), StoreSettings("folder"), StoreSettings("cheap"))
    settings = Settings(data_dir=tmp_path)

    one = open_region(RegionSettings("jp1"), settings)
    many = open_region(RegionSettings("jp1", stores=stores), settings)
    chosen = open_region(RegionSettings("jp1", stores=stores, default_store="cheap"), settings)
    key = "3e1b9b3c-0000-4000-8000-000000000000"
    assert [store.name for store in one.stores] == ["folder"]
    assert [store.name for store in many.stores] == ["folder", "old", "cheap"]
    assert [store.name for store in chosen.stores] == ["cheap", "old", "folder"]
    assert many.store.url(key) == one.store.url(key)
    assert len({store.url(key) for store in many.stores}) == 3


def test_deleting_an_image_leaves_read_only_bytes(tmp_path: Path) -> None:
    """The image is gone, and what the read-only store has of it stays, also after the next start."""
    folder = tmp_path / "images" / "cheap"
    with run_region(tmp_path, more_stores=[FolderStore(folder, "cheap")]) as writable:
        image = _in(writable.client("alpha"), "cheap")
        file = writable.data_file(image["id"], "cheap")
    for _start in range(2):
        with run_region(tmp_path, more_stores=[FolderStore(folder, "cheap", read_only=True)]) as region:
            region.client("alpha").request("DELETE", f"/v2/images/{image['id']}")
            assert region.client("alpha").get(f"/v2/images/{image['id']}").status_code == 404
    assert file.read_bytes() == b"0123456789"


def test_locations_for_another_service(alpha: Client, beta: Client, region: RegionService) -> None:
    """A service sees where the images are that its project sees, and nothing else of them."""
    of_alpha = region.client("alpha", roles=("service",))
    mine, public, hidden = alpha.active(), beta.active(visibility="community"), beta.active()

    for image in (mine, public):
        (location,) = of_alpha.get(f"/v2/images/{image['id']}/locations").json()
        assert location["url"] == region.data_file(image["id"]).as_uri()
        assert of_alpha.get(f"/v2/images/{image['id']}").status_code == 404
    assert of_alpha.get(f"/v2/images/{hidden['id']}/locations").status_code == 404
    assert of_alpha.get("/v2/info/stores/detail").status_code == 200


def test_waiting_for_a_copy_that_fails() -> None:
    """The SDK tells of a copy to another store that failed, though the image is as active as before."""
    region = {"name": "jp1", "stores": [{"name": "folder"}, {"name": "second"}]}
    with ImageService((region,)) as service:
        proxy = service.connect(user="admin").image
        image = proxy.create_image(data=b"0123456789", disk_format="raw")
        stored_file(service.database, service.data_dir, str(image.id)).write_bytes(b"012345678!")
        proxy.import_image(image, "copy-image", stores=["second"])

        with pytest.raises(exceptions.ResourceFailure, match=f"import of image {image.id} failed: ."):
            proxy.wait_for_image(image, interval=0.1, wait=60)
        assert proxy.get_image(image).image_status == "active"
