"""The threads that run import tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.db.tasks import remove_expired, unfinished_tasks
from ecl.server.domain.task import Task
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import JobThreads
from ecl.server.settings.model import Settings

__all__ = ["Importer"]


class Importer(JobThreads[Task]):
    """Runs the import tasks of the regions that this process serves."""

    def __init__(
        self, settings: Settings, database: Database, destinations: Destinations, regions: Iterable[Region]
    ) -> None:
        super().__init__("importer", settings.imports.workers, self._tasks, self._import)
        self._settings = settings
        self._database = database
        self._destinations = destinations
        self._regions = list(regions)

    def _tasks(self) -> list[Task]:
        with self._database.read() as connection:
            return unfinished_tasks(connection, [region.name for region in self._regions])

    def _import(self, task: Task, is_stopping: Callable[[], bool]) -> None:
        # Imported for the first task, because the service starts without what an import needs.
        from ecl.server.jobs.imports.run import ImportContext, run_import

        context = ImportContext(self._settings, self._database, self._destinations, self._regions)
        run_import(task, context, is_stopping)
        with self._database.write() as connection:
            remove_expired(connection, task.region)
