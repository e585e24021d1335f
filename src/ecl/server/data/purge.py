"""Purge by age: rows of deleted images, expired tasks, ended copy jobs, and what other rooms add."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS
from ecl.server.db.engine import Database
from ecl.server.db.purge import purge_copy_jobs, purge_deleted_images, purge_tasks
from ecl.server.settings.model import UpkeepSettings

__all__ = ["Purge", "Step"]

#: Deletes up to so many rows, and returns how many there were.
Step = Callable[[Connection, int], int]

#: Rows of one transaction.
_BATCH = 200


class Purge:
    """
    Everything that is purged in *regions*.

    Args:
        more: Further steps.
    """

    def __init__(
        self, database: Database, regions: Collection[str], settings: UpkeepSettings, more: Sequence[Step] = ()
    ) -> None:
        self._database = database
        names = list(regions)
        deleted, jobs = settings.keep_deleted_images * MICROSECONDS, settings.keep_copy_jobs * MICROSECONDS
        self._steps: list[Step] = [lambda connection, limit: purge_tasks(connection, names, limit), *more]
        if deleted:
            self._steps.append(lambda connection, limit: purge_deleted_images(connection, names, deleted, limit))
        if jobs:
            self._steps.append(lambda connection, limit: purge_copy_jobs(connection, names, jobs, limit))

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Purge until nothing is old enough any more, or *is_stopping* returns True."""
        for step in self._steps:
            count = _BATCH
            while count == _BATCH and not is_stopping():
                with self._database.write() as connection:
                    count = step(connection, _BATCH)
