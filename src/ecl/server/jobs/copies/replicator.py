"""The threads that run copy jobs."""

from __future__ import annotations

from collections.abc import Callable

from ecl import exceptions
from ecl.server.db.copy_jobs import unfinished_jobs
from ecl.server.db.engine import Database
from ecl.server.domain.copy_job import CopyJob
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import JobThreads, TryLater
from ecl.server.settings.model import Settings

__all__ = ["Replicator"]


class Replicator(JobThreads[CopyJob]):
    """Runs the copy jobs of the regions that this process serves."""

    def __init__(self, settings: Settings, database: Database, destinations: Destinations) -> None:
        super().__init__("replicator", settings.replicator_workers, self._jobs, self._replicate)
        self._regions = [region.name for region in settings.regions if not region.is_remote]
        self._database = database
        self._destinations = destinations

    def _jobs(self) -> list[CopyJob]:
        with self._database.read() as connection:
            return unfinished_jobs(connection, self._regions)

    def _replicate(self, job: CopyJob, is_stopping: Callable[[], bool]) -> None:
        # Imported for the first job, because the service starts without the SDK.
        from ecl.server.jobs.copies.run import run_job

        try:
            run_job(job, self._database, self._destinations, is_stopping)
        except exceptions.SDKException as exc:
            raise TryLater(exc) from exc
