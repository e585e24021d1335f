"""The database goes away while a job runs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ecl.server.clock import now
from ecl.server.data.node import Node
from ecl.server.db.leases import IMPORTS
from ecl.server.db.tasks import insert_task, load_task
from ecl.server.domain.task import API_IMAGE_IMPORT, PENDING, Task
from ecl.server.jobs.runner import Claim, JobThreads
from support.region_service import RegionService, poll, run_region

TASK = "0b6c7a55-5b1e-4c6e-9d0d-6f1f0a6f2c11"


class Jobs(JobThreads[Task]):
    """Runs a task; the first run loses the database, and the second one finishes."""

    def __init__(self, region: RegionService, node: Node, away: Path) -> None:
        super().__init__("jobs", 1, IMPORTS, ["elsewhere"], region.settings, region.database, node)
        self._path = Path(region.database.name)
        self._away = away
        self.runs = 0

    def load(self, connection: Connection, job_id: str) -> Task:
        """Return the task."""
        return load_task(connection, job_id)

    def run(self, job: Task, claim: Claim) -> None:
        """Run the task."""
        self.runs += 1
        if self.runs == 1:
            self._path.rename(self._away)
        with self._database.write() as connection:
            connection.execute(text("UPDATE tasks SET status = 'success' WHERE id = :id"), {"id": job.id})

    def end(self, job: Task, claim: Claim, reason: str) -> None:
        """It never fails."""
        raise AssertionError(reason)


def test_an_outage_is_no_failure_of_the_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The job is run again when the database is back; until then there is one line, and no traceback."""
    with run_region(tmp_path, node_lease=1) as region:
        if not region.database.is_sqlite:
            pytest.skip("the file of SQLite is moved away")
        task = Task(
            TASK, "elsewhere", API_IMAGE_IMPORT, PENDING, None, None, None, None, {}, None, "", now(), now(), None
        )
        with region.database.write() as connection:
            insert_task(connection, task)
        node = Node(region.database, 1)
        jobs = Jobs(region, node, tmp_path / "away.db")

        async def run() -> None:
            async with jobs:
                await asyncio.to_thread(poll, lambda: "jobs waits for the database" in caplog.text)
                (tmp_path / "away.db").rename(region.database.name)
                await asyncio.to_thread(poll, lambda: jobs.runs == 2)

        with caplog.at_level(logging.WARNING), node.alive():
            asyncio.run(run())
        assert caplog.text.count("jobs waits for the database") == 1
        assert "Traceback" not in caplog.text
        with region.database.read() as connection:
            row = connection.execute(text("SELECT status, attempts FROM tasks WHERE id = :id"), {"id": TASK}).one()
        assert tuple(row) == ("success", 0)
