"""Import tasks are claimed with a lease: who has lost it changes nothing, and a bug does not try for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ecl.server.data.store.folder import FolderStore
from support.http_stub import Answer, HttpStub, Request
from support.import_data import DATA
from support.region_service import Client, RegionService, poll, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}


def _set_lease(region: RegionService, owner: str, until: int) -> None:
    with region.database.write() as connection:
        values = {"owner": owner, "until": until}
        connection.execute(text("UPDATE tasks SET lease_owner = :owner, lease_until = :until"), values)


def test_task_that_another_process_took_over(
    region: RegionService, alpha: Client, origin: HttpStub, start_import: Any
) -> None:
    """A worker that has lost its task changes nothing and leaves no bytes; when the other one dies, it begins again."""
    requests: list[str] = []

    def answer(request: Request) -> Answer:
        requests.append(request.line)
        if len(requests) == 1:
            _set_lease(region, "another process", 9_000_000_000_000_000)
        return Answer.data(DATA)

    origin.on("GET", "/slow", answer)
    image = alpha.create(**RAW)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/slow")
    staging = region.settings.data_dir / "staging"
    poll(lambda: requests and not list(staging.rglob("*-*-*-*-*")))
    assert alpha.show(image["id"])["status"] == "queued"
    (task,) = alpha.get(f"/v2/images/{image['id']}/tasks").json()["tasks"]
    assert (task["status"], task["message"]) == ("processing", "")

    _set_lease(region, "another process", 1)
    poll(lambda: alpha.show(image["id"])["status"] == "active")
    assert len(requests) == 2
    assert alpha.get(image["file"]).content == DATA


class _BrokenStore(FolderStore):
    """A folder whose code has a bug."""

    writers = 0

    def writer(self, key: str, size: int | None = None) -> Any:
        """Fail in a way that nothing expects."""
        self.writers += 1
        raise RuntimeError("secret of the inside")


@pytest.mark.parametrize("attempts", [1, 2])
def test_unexpected_failures_end(tmp_path: Path, attempts: int) -> None:
    """A task that fails for an unexpected reason ends after so many attempts, and the image is queued again."""
    broken = _BrokenStore(tmp_path / "images" / "cheap", "cheap")
    settings = {"job_attempts": attempts, "job_retry_delay": 0.1}
    with run_region(tmp_path, more_stores=[broken], **settings) as region:
        client = region.client()
        image = client.create(**RAW)
        octets = {"Content-Type": "application/octet-stream"}
        client.request("PUT", f"/v2/images/{image['id']}/stage", data=DATA, headers=octets)
        body = {"method": {"name": "glance-direct"}, "stores": ["cheap"]}
        assert client.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 202
        poll(lambda: client.show(image["id"])["status"] == "queued")

        (task,) = client.get(f"/v2/images/{image['id']}/tasks").json()["tasks"]
        assert task["status"] == "failure"
        assert f"failed {attempts} times for an unexpected reason (RuntimeError)" in task["message"]
        assert "secret" not in task["message"]
        assert broken.writers == attempts
        assert not [path for path in (tmp_path / "staging").rglob("*-*-*-*-*") if path.is_file()]
