"""``/readyz``: the database and the stores are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from ecl.server.data.store.folder import FolderStore
from ecl.testing import ImageService
from support.region_service import Client, RegionService, run_region

MARKER = ".ecl-store.json"


def _ready(region: RegionService) -> tuple[int, dict[str, str]]:
    answer = region.stranger().get("/readyz")
    return answer.status_code, answer.json()["checks"]


def test_all_is_well(region: RegionService) -> None:
    """A service with its database and stores is ready; each part is named, and no path."""
    answer = region.stranger().get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "store jp1/folder": "ok", "staging jp1": "ok"}},
    )
    assert region.stranger().request("POST", "/readyz").status_code == 405


@pytest.mark.folder_store
def test_an_unmounted_store(region: RegionService, alpha: Client, tmp_path: Path) -> None:
    """An empty folder where the default store was is not ready; it is again when the store is back."""
    image = alpha.active(b"data")
    folder = tmp_path / "images" / "jp1"
    folder.rename(tmp_path / "away")
    folder.mkdir()

    assert _ready(region) == (503, {"database": "ok", "store jp1/folder": "cannot be used", "staging jp1": "ok"})
    folder.rmdir()
    (tmp_path / "away").rename(folder)
    assert _ready(region)[0] == 200
    assert alpha.get(f"/v2/images/{image['id']}/file").content == b"data"


def test_another_store_is_away(tmp_path: Path) -> None:
    """Without one of several stores the service goes on, and says which is away."""
    (tmp_path / "data").mkdir()
    more = FolderStore(tmp_path / "more", "more")
    with run_region(tmp_path / "data", more_stores=[more]) as region:
        shutil.rmtree(tmp_path / "more")
        answer = region.stranger().get("/readyz")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["store jp1/more"] == "cannot be used"


def test_of_the_whole_service() -> None:
    """Both paths answer at the root and below each region's address, and nowhere else."""
    with ImageService(("jp1",)) as service:
        for prefix in ("", "/image/jp1"):
            assert requests.get(f"{service.url}{prefix}/readyz", timeout=60).json()["status"] == "ready"
            assert requests.get(f"{service.url}{prefix}/healthcheck", timeout=60).text == "OK"
        assert requests.get(f"{service.url}/v3/readyz", timeout=60).status_code in (401, 404)
