"""What is old is purged: deleted images, ended tasks and copy jobs, tokens."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import text

from ecl.server.clock import now
from ecl.testing import ImageService
from support.region_service import poll

DAY = 86400
OLD, NEW = now() - 3 * DAY * 1_000_000, now()
#: More than one step purges at once.
COUNT = 450


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """A stopped service that keeps everything for two days, and has old and new rows of each kind."""
    upkeep = {"keep_deleted_images": 2 * DAY, "keep_copy_jobs": 2 * DAY}
    with ImageService(("jp1",), node_lease=0.4, upkeep=upkeep) as running:
        running.connect("jp1").image.create_image(name="kept")
        running.stop()
        with running.database.write() as connection:
            user = connection.execute(text("SELECT id FROM users WHERE name = 'demo'")).scalar_one()
            for when, count in ((OLD, COUNT), (NEW, 3)):
                for number in range(count):
                    row = {"id": str(uuid.uuid4()), "time": when, "user": user, "hash": f"{when}-{number}"}
                    connection.execute(
                        text(
                            "INSERT INTO images (region, id, status, visibility, min_disk, min_ram, protected, "
                            "os_hidden, created_at, updated_at, deleted_at) VALUES ('jp1', :id, 'deleted', 'private', "
                            "0, 0, false, false, :time, :time, :time)"
                        ),
                        row,
                    )
                    connection.execute(
                        text(
                            "INSERT INTO tasks (id, region, type, status, input, message, created_at, updated_at, "
                            "expires_at) VALUES (:id, 'jp1', 'import', 'success', '{}', '', :time, :time, :expiry)"
                        ),
                        {**row, "expiry": when + 2 * DAY * 1_000_000},
                    )
                    for status in ("replicated", "replicating"):
                        connection.execute(
                            text(
                                "INSERT INTO copy_jobs (id, source_region_id, source_tenant_id, source_image_id, "
                                "destination_region_id, destination_tenant_id, status, copy_progress, created_at, "
                                "updated_at, run_after) VALUES (:job, 'jp1', 'a', 'b', 'jp2', 'c', :status, 0, "
                                ":time, :time, :later)"
                            ),
                            {**row, "job": str(uuid.uuid4()), "status": status, "later": NEW * 2},
                        )
                    connection.execute(
                        text(
                            "INSERT INTO tokens (token_hash, user_id, methods, audit_id, issued_at, expires_at) "
                            "VALUES (:hash, :user, 'password', 'x', :time, :expiry)"
                        ),
                        {**row, "expiry": when + DAY * 1_000_000},
                    )
        running.start()
        yield running


def _count(service: ImageService, query: str) -> int:
    with service.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {query}")).scalar_one())


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ("images WHERE status = 'deleted'", 3),
        ("images WHERE status = 'queued'", 1),
        ("tasks", 3),
        ("copy_jobs WHERE status = 'replicated'", 3),
        ("copy_jobs WHERE status = 'replicating'", COUNT + 3),
        ("tokens WHERE audit_id = 'x'", 3),
    ],
)
def test_only_what_is_old_is_purged(service: ImageService, rows: str, left: int) -> None:
    """The rows that are older than the settings say go, by themselves, and no others."""
    poll(lambda: _count(service, rows) == left)


def test_lists_of_jobs_have_pages(service: ImageService) -> None:
    """The plain list has all jobs up to the cap; with limit and marker it has pages of them, oldest first."""
    poll(lambda: _count(service, "copy_jobs WHERE status = 'replicated'") == 3)
    token = service.connect("jp1", "admin").session.get_token() or ""
    url = f"{service.url}/image/jp1/v2/extension/image_replicator/jobs"

    def page(query: str = "") -> requests.Response:
        return requests.get(url + query, headers={"X-Auth-Token": token}, timeout=60)

    everything = page().json()
    seen, marker = [], ""
    while jobs := page(f"?limit=100{marker}").json():
        assert len(jobs) <= 100
        seen += jobs
        marker = f"&marker={jobs[-1]['job_id']}"
    assert seen == everything
    assert len(seen) == COUNT + 6
    assert len(page("?limit=2").json()) == 2
    for query, word in (("?limit=x", "limit"), ("?limit=-1", "limit"), (f"?marker={uuid.uuid4()}", "marker")):
        answer = page(query)
        assert (answer.status_code, word in answer.text) == (400, True)


def test_a_list_of_jobs_has_a_cap() -> None:
    """Of more jobs than the longest page has, the newest are listed, oldest first."""
    with ImageService(("jp1",), limits={"api_limit_max": 5}) as service:
        ids = [str(uuid.uuid4()) for _ in range(8)]
        with service.database.write() as connection:
            for number, job_id in enumerate(ids):
                connection.execute(
                    text(
                        "INSERT INTO copy_jobs (id, source_region_id, source_tenant_id, source_image_id, "
                        "destination_region_id, destination_tenant_id, status, copy_progress, created_at, updated_at) "
                        "VALUES (:id, 'jp1', 'a', 'b', 'jp2', 'c', 'replicated', 100, :time, :time)"
                    ),
                    {"id": job_id, "time": NEW + number},
                )
        token = service.connect("jp1", "admin").session.get_token() or ""
        url = f"{service.url}/image/jp1/v2/extension/image_replicator/jobs"
        jobs = requests.get(url, headers={"X-Auth-Token": token}, timeout=60).json()
        assert [job["job_id"] for job in jobs] == ids[3:]
