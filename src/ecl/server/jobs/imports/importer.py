"""The threads that run import tasks."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.db.leases import IMPORTS
from ecl.server.db.tasks import load_task
from ecl.server.domain.task import Task
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import Claim, JobThreads
from ecl.server.settings.model import Settings

__all__ = ["Importer"]


class Importer(JobThreads[Task]):
    """Runs the import tasks of the regions that this process serves."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        destinations: Destinations,
        regions: Iterable[Region],
        node: Node,
    ) -> None:
        self._regions = list(regions)
        names = [region.name for region in self._regions]
        super().__init__("importer", settings.imports.workers, IMPORTS, names, settings, database, node)
        self._settings = settings
        self._destinations = destinations

    def load(self, connection: Connection, job_id: str) -> Task:
        """Return the task."""
        return load_task(connection, job_id)

    def run(self, job: Task, claim: Claim) -> None:
        """Run the task to completion."""
        # Imported for the first task, because the service starts without what an import needs.
        from ecl.server.jobs.imports.run import ImportContext, run_import

        context = ImportContext(self._settings, self._database, self._destinations, self._regions, self._node)
        run_import(job, context, claim)

    def end(self, job: Task, claim: Claim, reason: str) -> None:
        """End the task as a failure, and put the image back."""
        from ecl.server.jobs.imports.run import ImportContext, end_import

        context = ImportContext(self._settings, self._database, self._destinations, self._regions, self._node)
        end_import(job, context, claim, reason)
