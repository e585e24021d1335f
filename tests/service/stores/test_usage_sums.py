"""The sums of what each project uses: they are what its images are, whatever has happened to these."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from ecl.server.data.store.folder import FolderStore
from ecl.server.db.recount import Drift, recount_all
from ecl.server.db.usage import usage_of
from ecl.server.domain.quota import Usage
from support.region_service import Client, RegionService, poll, project_id, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"Content-Type": "application/octet-stream"}
STEPS = 40
WRITERS = 6


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region with the stores folder and cheap."""
    cheap = FolderStore(tmp_path / "images" / "cheap", "cheap")
    with run_region(tmp_path, more_stores=[cheap]) as service:
        yield service


class _Projects:
    """Random requests of two projects and an administrator; each may be refused."""

    def __init__(self, region: RegionService, random: Random) -> None:
        self.random = random
        self.owners = [region.client("alpha"), region.client("beta")]
        self.admin = region.admin()
        self.images = [client.create(**RAW)["id"] for client in self.owners]

    def step(self) -> None:
        """Send one request, and wait for the import that it may have started."""
        client, image = self.random.choice(self.owners), self.random.choice(self.images)
        action = self.random.choice(_ACTIONS)
        answer = action(self, client, image)
        assert answer is None or answer.status_code < 500, (action.__name__, answer.text)

    def create(self, client: Client, _image: str) -> None:
        self.images.append(client.create(**RAW)["id"])

    def upload(self, client: Client, image: str) -> Any:
        store = {"X-Image-Meta-Store": self.random.choice(("folder", "cheap"))}
        return client.upload(image, bytes(self.random.randrange(3000)), store)

    def upload_too_little(self, client: Client, image: str) -> Any:
        return client.upload(image, b"x" * 100, {"X-OpenStack-Image-Size": "200"})

    def stage(self, client: Client, image: str) -> Any:
        data = bytes(self.random.randrange(3000))
        return client.request("PUT", f"/v2/images/{image}/stage", data=data, headers=OCTETS)

    def import_staged(self, client: Client, image: str) -> Any:
        body = {"method": {"name": "glance-direct"}, "all_stores": self.random.random() < 0.5}
        return self._import(client, image, body)

    def import_of_nothing(self, client: Client, image: str) -> Any:
        # Nothing listens there.
        return self._import(client, image, {"method": {"name": "web-download", "uri": "http://127.0.0.1:80/x"}})

    def copy_to_all_stores(self, _client: Client, image: str) -> Any:
        return self._import(self.admin, image, {"method": {"name": "copy-image"}, "all_stores": True})

    def delete_from_store(self, _client: Client, image: str) -> Any:
        return self.admin.request("DELETE", f"/v2/stores/{self.random.choice(('folder', 'cheap'))}/{image}")

    def change_owner(self, _client: Client, image: str) -> Any:
        owner = project_id(self.random.choice(("alpha", "beta", "gamma")))
        return self.admin.patch(image, {"op": "replace", "path": "/owner", "value": owner})

    def deactivate(self, _client: Client, image: str) -> Any:
        return self.admin.request("POST", f"/v2/images/{image}/actions/deactivate")

    def reactivate(self, _client: Client, image: str) -> Any:
        return self.admin.request("POST", f"/v2/images/{image}/actions/reactivate")

    def invite(self, client: Client, image: str) -> Any:
        return client.request("POST", f"/v2/images/{image}/members", json={"member": project_id("beta")})

    def delete(self, client: Client, image: str) -> Any:
        return client.request("DELETE", f"/v2/images/{image}")

    def _import(self, client: Client, image: str, body: dict[str, Any]) -> Any:
        answer = client.request("POST", f"/v2/images/{image}/import", json=body)
        if answer.status_code == 202:
            poll(lambda: "os_glance_import_task" not in self.admin.get(f"/v2/images/{image}").json())
        return answer


_ACTIONS = [
    _Projects.create,
    _Projects.upload,
    _Projects.upload,
    _Projects.upload_too_little,
    _Projects.stage,
    _Projects.import_staged,
    _Projects.import_of_nothing,
    _Projects.copy_to_all_stores,
    _Projects.delete_from_store,
    _Projects.change_owner,
    _Projects.deactivate,
    _Projects.reactivate,
    _Projects.invite,
    _Projects.delete,
]


@pytest.mark.parametrize("seed", range(4))
def test_sums_follow_the_images(region: RegionService, seed: int) -> None:
    """After any requests, accepted or refused, the sums are those of the images."""
    projects = _Projects(region, Random(seed))
    for _ in range(STEPS):
        projects.step()
        assert _drifts(region) == []


def test_sums_follow_many_writers(region: RegionService) -> None:
    """Requests of several clients at once, for the same images too, leave the sums right; none of them is a 5xx."""
    first = _Projects(region, Random(0))
    everybody = [_Projects(region, Random(number)) for number in range(1, WRITERS)]
    for each in everybody:
        each.images = first.images
    start = threading.Barrier(WRITERS)

    def work(projects: _Projects) -> None:
        start.wait()
        for _ in range(STEPS):
            projects.step()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, [first, *everybody]))
    assert _drifts(region) == []


def test_usage_is_what_the_images_are(region: RegionService, alpha: Client) -> None:
    """An active image counts in each store, a staged one in the staging area; a deleted one does not count."""
    gone, kept, staged = (alpha.create(**RAW)["id"] for _ in range(3))
    for image in (gone, kept):
        alpha.upload(image, b"x" * 1000)
    body = {"method": {"name": "copy-image"}, "all_stores": True}
    region.admin().request("POST", f"/v2/images/{kept}/import", json=body)
    poll(lambda: alpha.show(kept)["stores"] == "folder,cheap")
    alpha.request("PUT", f"/v2/images/{staged}/stage", data=b"y" * 300, headers=OCTETS)
    alpha.request("DELETE", f"/v2/images/{gone}")

    with region.database.read() as connection:
        usage = usage_of(connection, "jp1", alpha.project_id)
    assert usage == Usage(2000, 300, 2, 1)


def test_wrong_sums_are_corrected(region: RegionService, alpha: Client) -> None:
    """A recount says what was wrong, and the sums are right afterwards; rows that belong to nothing become zero."""
    alpha.active(b"x" * 1000)
    with region.database.write() as connection:
        connection.execute(text("UPDATE project_usage SET active = 5, queued = -1"))
        connection.execute(text("DELETE FROM store_usage"))
        connection.execute(text("INSERT INTO store_usage VALUES ('jp1', 'nobody', 'folder', 7)"))
        connection.execute(text("INSERT INTO project_usage VALUES ('jp1', 'nobody', 0, 0, 0, 0, 1, 0, 0)"))

    found = _drifts(region)
    assert [(each.owner, dict(each.sums), dict(each.stores)) for each in found] == [
        (alpha.project_id, {"queued": 1, "active": -4}, {"folder": 1000}),
        ("nobody", {"active": -1}, {"folder": -7}),
    ]
    assert str(found[0]) == "queued +1, active -4, bytes in folder +1000"
    assert _drifts(region) == []
    with region.database.read() as connection:
        assert usage_of(connection, "jp1", alpha.project_id) == Usage(1000, 0, 1, 0)


def test_the_reaper_corrects_sums(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While a service runs, wrong sums are found and corrected by and by, and the log says so."""
    with run_region(tmp_path, node_lease=1) as region:
        alpha = region.client("alpha")
        alpha.active(b"x" * 1000)
        with region.database.write() as connection:
            connection.execute(text("UPDATE project_usage SET active = 5"))
        poll(lambda: "corrected" in caplog.text)
        with region.database.read() as connection:
            assert usage_of(connection, "jp1", alpha.project_id) == Usage(1000, 0, 1, 0)
    assert f"region jp1, project {alpha.project_id}: what it uses" in caplog.text
    assert "active -4" in caplog.text


def _drifts(region: RegionService) -> list[Drift]:
    return recount_all(region.database, "jp1")
