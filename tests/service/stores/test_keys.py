"""A key is used once: a removal that comes late never meets newer data. What cannot be removed at once goes later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ecl.server.data.store.base import StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from support.region_service import Client, RegionService, poll, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"Content-Type": "application/octet-stream"}
OLD, NEW = b"old bytes!", b"new bytes!"


class _Store(FolderStore):
    """A folder that does something else before it removes or writes data, once."""

    def __init__(self, root: Path, name: str = "folder") -> None:
        super().__init__(root, name)
        self.before_delete: Callable[[], object] | None = None
        self.before_write: Callable[[], object] | None = None

    def delete(self, key: str) -> None:
        """Remove the data."""
        call, self.before_delete = self.before_delete, None
        if call is not None:
            call()
        super().delete(key)

    def writer(self, key: str, size: int | None = None) -> Any:
        """Start an upload."""
        call, self.before_write = self.before_write, None
        if call is not None:
            call()
        return super().writer(key, size)


@contextmanager
def _region(folder: Path, **settings: Any) -> Iterator[tuple[RegionService, _Store, _Store, _Store]]:
    """Run a region with the stores folder and cheap; yield it, and both, and its staging area."""
    one, cheap = _Store(folder / "images" / "jp1"), _Store(folder / "images" / "cheap", "cheap")
    staging = _Store(folder / "staging" / "jp1", "staging")
    with run_region(folder, store=one, more_stores=[cheap], staging=staging, **settings) as region:
        yield region, one, cheap, staging


def _import(client: Client, image: dict[str, Any], method: str, **body: Any) -> None:
    answer = client.request("POST", f"/v2/images/{image['id']}/import", json={"method": {"name": method}, **body})
    assert answer.status_code == 202, answer.text


def _stage(client: Client, image: dict[str, Any], data: bytes) -> int:
    return client.request("PUT", f"/v2/images/{image['id']}/stage", data=data, headers=OCTETS).status_code


def _fail() -> None:
    raise StoreUnavailable("the disk is gone")


def _has_ended(client: Client, image: dict[str, Any]) -> bool:
    return "os_glance_import_task" not in client.show(image["id"])


def test_failed_import_and_a_new_upload(tmp_path: Path) -> None:
    """An upload that is acknowledged while a failed import removes its data keeps its own."""
    with _region(tmp_path) as (region, one, cheap, _):
        client, other = region.client(), region.client()
        image = client.create(**RAW)
        codes: list[int] = []
        one.before_delete = lambda: codes.append(other.upload(image["id"], NEW).status_code)
        cheap.before_write = _fail
        assert _stage(client, image, OLD) == 204
        _import(client, image, "glance-direct", stores=["folder", "cheap"])

        poll(lambda: codes and len(region.data_files()) == 1)
        assert codes == [204]
        assert client.get(image["file"]).content == NEW


def test_failed_import_and_a_new_stage(tmp_path: Path) -> None:
    """Data that is staged while a failed import removes what was staged before stays, and can be imported."""
    with _region(tmp_path) as (region, one, _, staging):
        client, other = region.client(), region.client()
        image = client.create(**RAW)
        codes: list[int] = []
        staging.before_delete = lambda: codes.append(_stage(other, image, NEW))
        one.before_write = _fail
        assert _stage(client, image, OLD) == 204
        _import(client, image, "glance-direct")
        poll(lambda: codes and len(region.staged_files()) == 1)
        assert codes == [204]
        _import(client, image, "glance-direct")

        poll(lambda: client.show(image["id"])["status"] == "active")
        assert client.get(image["file"]).content == NEW


def test_delete_from_a_store_and_a_new_copy(tmp_path: Path) -> None:
    """A copy to the store from which the image is just being removed stays there."""
    with _region(tmp_path) as (region, _, cheap, _):
        client, admin, other = region.client(), region.admin(), region.admin()
        image = client.active(NEW)
        _import(admin, image, "copy-image", stores=["cheap"])
        poll(lambda: client.show(image["id"])["stores"] == "folder,cheap")
        poll(lambda: _has_ended(client, image))

        def copy_again() -> None:
            _import(other, image, "copy-image", stores=["cheap"])
            poll(lambda: _has_ended(client, image))

        cheap.before_delete = copy_again
        assert admin.request("DELETE", f"/v2/stores/cheap/{image['id']}").status_code == 204

        assert client.show(image["id"])["stores"] == "folder,cheap"
        assert len(region.data_files()) == 2
        region.data_file(image["id"]).unlink()
        assert client.get(image["file"]).content == NEW


def test_no_file_has_the_name_of_an_image(tmp_path: Path) -> None:
    """Two uploads of one image have two names, and neither is the image's ID."""
    with _region(tmp_path) as (region, *_):
        client = region.client()
        image = client.create(**RAW)
        names: list[str] = []
        for store in ("cheap", "folder"):
            if store == "cheap":
                assert client.upload(image["id"], OLD, {"X-Image-Meta-Store": store}).status_code == 204
                _import(region.admin(), image, "copy-image", stores=["folder"])
                poll(lambda: _has_ended(client, image))
            names.append(region.data_file(image["id"], store).name)

        assert len({image["id"], *names}) == 3


# --- later ------------------------------------------------------------------------------------------------------


def test_failed_removal_is_tried_again(tmp_path: Path) -> None:
    """An image is deleted though its store fails, and its data goes when the store works again, without a restart."""
    with _region(tmp_path, node_lease=0.2) as (region, one, *_):
        client = region.client()
        image = client.active()
        failures: list[int] = []

        def fail() -> None:
            failures.append(1)
            one.before_delete = fail if len(failures) < 3 else None
            _fail()

        one.before_delete = fail
        assert client.request("DELETE", image["self"]).status_code == 204
        poll(lambda: region.data_files() == [])
        assert len(failures) == 3


def test_staged_data_of_a_deleted_image(tmp_path: Path) -> None:
    """An image that is active while its import goes on leaves nothing when it is deleted, staged data included."""
    with _region(tmp_path) as (region, _, cheap, _):
        client, admin = region.client(), region.admin()
        image = client.create(**RAW)
        waiting, go_on = threading.Event(), threading.Event()

        def wait() -> None:
            waiting.set()
            assert go_on.wait(20)

        cheap.before_write = wait
        assert _stage(client, image, OLD) == 204
        _import(client, image, "glance-direct", stores=["folder", "cheap"], all_stores_must_succeed=False)
        assert waiting.wait(20)
        assert client.show(image["id"])["status"] == "active"
        assert client.request("DELETE", image["self"]).status_code == 204
        go_on.set()

        poll(lambda: admin.get("/v2/tasks?status=failure").json()["tasks"])
        assert (region.staged_files(), region.data_files()) == ([], [])


@pytest.mark.parametrize("state", ["is read-only", "is not in the settings"])
def test_removal_from_a_store_that_comes_back(tmp_path: Path, state: str) -> None:
    """The data of a deleted image in a store that cannot be written goes when it can be written again."""
    folder = tmp_path / "images" / "cheap"
    with run_region(tmp_path, more_stores=[FolderStore(folder, "cheap")]) as region:
        image = region.client().create(**RAW)
        assert region.client().upload(image["id"], OLD, {"X-Image-Meta-Store": "cheap"}).status_code == 204
    others = [FolderStore(folder, "cheap", read_only=True)] if state == "is read-only" else []
    with run_region(tmp_path, more_stores=others) as region:
        assert region.client().request("DELETE", image["self"]).status_code == 204
        assert len(region.data_files()) == 1
    with run_region(tmp_path, more_stores=[FolderStore(folder, "cheap")], node_lease=0.2) as region:
        poll(lambda: region.data_files() == [])
