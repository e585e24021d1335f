"""What one project may have in a region: images, bytes, and how many it fills at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecl.server.data.store.base import StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.model import ImageLimits
from support.region_service import Client, RegionService, poll, run_region

MIB = 1 << 20
RAW = {"disk_format": "raw", "container_format": "bare"}


@contextmanager
def _limited(folder: Path, **limits: int) -> Iterator[RegionService]:
    with run_region(folder, limits=ImageLimits(**limits)) as service:
        yield service


def _chunks(data: bytes) -> Iterator[bytes]:
    yield data


def test_no_limits_are_no_usage(alpha: Client) -> None:
    """Where nothing is limited, /v2/info/usage is empty."""
    assert alpha.get("/v2/info/usage").json() == {"usage": {}}


def test_image_count(tmp_path: Path) -> None:
    """The image beyond the limit is 413; deleting one makes room; another project has its own share."""
    with _limited(tmp_path, image_count_total=2) as region:
        alpha, beta = region.client("alpha"), region.client("beta")
        first = alpha.create()
        alpha.create()

        refused = alpha.request("POST", "/v2/images", json={})
        assert (refused.status_code, "image_count_total" in refused.text) == (413, True)
        assert alpha.get("/v2/info/usage").json()["usage"]["image_count_total"] == {"usage": 2, "limit": 2}
        beta.create()
        alpha.request("DELETE", f"/v2/images/{first['id']}")
        alpha.create()


def test_stored_bytes(tmp_path: Path) -> None:
    """What goes beyond the limit is 413, whether it is announced or just comes; the image is queued again."""
    with _limited(tmp_path, image_size_total=3) as region:
        alpha = region.client("alpha")
        alpha.active(b"x" * (2 * MIB))
        for data in (b"x" * (MIB + 1), _chunks(b"x" * (MIB + 1))):
            image = alpha.create(**RAW)
            assert alpha.upload(image["id"], data).status_code == 413
            assert alpha.show(image["id"])["status"] == "queued"
        assert len(region.data_files()) == 1

        usage = alpha.get("/v2/info/usage").json()["usage"]
        assert usage["image_size_total"] == {"usage": 2, "limit": 3}
        assert usage["image_count_total"] == {"usage": 3, "limit": -1}
        image = alpha.active(b"x" * MIB)
        assert alpha.upload(alpha.create(**RAW)["id"], b"x").status_code == 413
        alpha.request("DELETE", f"/v2/images/{image['id']}")
        alpha.active(b"x")


@pytest.mark.parametrize("announced", [True, False])
def test_staged_bytes(tmp_path: Path, announced: bool) -> None:
    """The staging area has a limit of its own."""
    with _limited(tmp_path, image_stage_total=1) as region:
        alpha = region.client("alpha")
        image = alpha.create(**RAW)
        data = b"x" * (MIB + 1)
        headers = {"Content-Type": "application/octet-stream"}
        path = f"/v2/images/{image['id']}/stage"

        refused = alpha.request("PUT", path, data=data if announced else _chunks(data), headers=headers)
        assert refused.status_code == 413
        assert alpha.show(image["id"])["status"] == "queued"
        assert alpha.request("PUT", path, data=data[:-1], headers=headers).status_code == 204
        assert alpha.get("/v2/info/usage").json()["usage"]["image_stage_total"] == {"usage": 1, "limit": 1}


class _StuckStore(FolderStore):
    """A staging area whose disk does not remove anything for a while."""

    stuck = True

    def delete(self, key: str) -> None:
        """Fail, until it works again."""
        if self.stuck:
            raise StoreUnavailable("the disk hangs")
        super().delete(key)


def test_staged_bytes_count_until_they_are_gone(tmp_path: Path) -> None:
    """Data whose image was deleted counts as long as it is in the staging area."""
    staging = _StuckStore(tmp_path / "staging" / "jp1", "staging")
    with run_region(tmp_path, limits=ImageLimits(image_stage_total=1), staging=staging, node_lease=0.4) as region:
        alpha = region.client("alpha")
        headers = {"Content-Type": "application/octet-stream"}

        def stage() -> int:
            path = f"/v2/images/{alpha.create(**RAW)['id']}/stage"
            return alpha.request("PUT", path, data=b"x" * MIB, headers=headers).status_code

        assert stage() == 204
        (image,) = alpha.list_ids()
        assert alpha.request("DELETE", f"/v2/images/{image}").status_code == 204
        assert stage() == 413
        assert alpha.get("/v2/info/usage").json()["usage"]["image_stage_total"] == {"usage": 1, "limit": 1}

        staging.stuck = False
        poll(lambda: alpha.get("/v2/info/usage").json()["usage"]["image_stage_total"]["usage"] == 0)
        assert stage() == 204


def test_import_keeps_to_the_limit(tmp_path: Path) -> None:
    """Staged bytes that have no room in the stores are refused when their import is asked for."""
    with _limited(tmp_path, image_size_total=1) as region:
        alpha = region.client("alpha")
        image = alpha.create(**RAW)
        headers = {"Content-Type": "application/octet-stream"}
        alpha.request("PUT", f"/v2/images/{image['id']}/stage", data=b"x" * (MIB + 1), headers=headers)

        body = {"method": {"name": "glance-direct"}}
        assert alpha.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 413
        assert alpha.show(image["id"])["status"] == "uploading"


def test_images_being_filled(tmp_path: Path) -> None:
    """A staged image counts as one that is being filled."""
    with _limited(tmp_path, image_count_uploading=1) as region:
        alpha = region.client("alpha")
        staged = alpha.create(**RAW)
        headers = {"Content-Type": "application/octet-stream"}
        alpha.request("PUT", f"/v2/images/{staged['id']}/stage", data=b"x", headers=headers)

        assert alpha.upload(alpha.create(**RAW)["id"], b"x").status_code == 413
        alpha.request("DELETE", f"/v2/images/{staged['id']}")
        alpha.active(b"x")


def test_uploads_side_by_side_keep_to_the_limit(tmp_path: Path) -> None:
    """Two uploads that each had room when they began do not both get it."""
    with _limited(tmp_path, image_size_total=1) as region:
        alpha = region.client("alpha")
        slow, quick = alpha.create(**RAW), alpha.create(**RAW)

        def body() -> Iterator[bytes]:
            yield b"x" * (MIB // 2)
            assert region.client("alpha").upload(quick["id"], b"x" * (MIB // 2 + 1)).status_code == 204
            yield b"x" * (MIB // 4)

        assert alpha.upload(slow["id"], body()).status_code == 413
        assert alpha.show(slow["id"])["status"] == "queued"
        assert len(region.data_files()) == 1
