"""
Queries on the leases of jobs: who works on a copy job or an import task, and when the next attempt is.

Both tables have the same columns for that. Leases are measured by the database's clock.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Select, Table, or_, select, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import copy_jobs, tasks
from ecl.server.domain import copy_job, task

__all__ = ["COPIES", "IMPORTS", "Leases", "free_jobs"]


class Leases:
    """
    The leases of one kind of jobs.

    Args:
        table: The table of the jobs.
        region: Its column with the region whose process runs a job.
        unfinished: The statuses of jobs that have not ended.
    """

    def __init__(self, table: Table, region: ColumnElement[str], unfinished: frozenset[str]) -> None:
        self._table = table
        self._region = region
        self._unfinished = sorted(unfinished)

    def claim(self, connection: Connection, regions: Collection[str], owner: str, lease: int) -> str | None:
        """
        Claim the oldest job of *regions* that waits, for *lease* microseconds. Return its ID, or None.

        Args:
            owner: Unique for each call.
        """
        columns = self._table.c
        oldest = self._waiting(regions).with_for_update(skip_locked=True)
        connection.execute(
            update(self._table)
            .where(columns.id == oldest.scalar_subquery())
            .values(lease_owner=owner, lease_until=database_now() + lease)
        )
        # Not RETURNING, which SQLite has since 3.35 only.
        return next(iter(connection.execute(self._claimed(columns.id, [owner])).scalars()), None)

    def has_waiting(self, connection: Connection, regions: Collection[str]) -> bool:
        """Return True if a job of *regions* waits to be claimed."""
        return connection.execute(self._waiting(regions)).first() is not None

    def renew(self, connection: Connection, owners: Collection[str], lease: int) -> frozenset[str]:
        """Renew the claims of *owners* that are still theirs, and return those."""
        if not owners:
            return frozenset()
        columns = self._table.c
        connection.execute(
            update(self._table)
            .where(columns.status.in_(self._unfinished), columns.lease_owner.in_(list(owners)))
            .values(lease_until=database_now() + lease)
        )
        return frozenset(connection.execute(self._claimed(columns.lease_owner, owners)).scalars())

    def holds(self, connection: Connection, job_id: str, owner: str) -> bool:
        """Return True if the claim of *owner* on the job is valid; it stays so until the end of the transaction."""
        query = select(self._table.c.id).where(*self._held(job_id, owner)).with_for_update(key_share=True)
        return connection.execute(query).first() is not None

    def release(self, connection: Connection, job_id: str, owner: str, *, delay: int = 0, failed: bool = False) -> None:
        """
        Give back the job, to be claimed after *delay* microseconds.

        Args:
            failed: True if it failed for an unexpected reason, which counts.
        """
        columns = self._table.c
        connection.execute(
            update(self._table)
            .where(columns.id == job_id, columns.lease_owner == owner)
            .values(
                lease_owner=None,
                lease_until=None,
                run_after=database_now() + delay,
                attempts=columns.attempts + (1 if failed else 0),
            )
        )

    def attempts(self, connection: Connection, job_id: str) -> int:
        """Return how often the job has failed for an unexpected reason."""
        found: int = connection.execute(select(self._table.c.attempts).where(self._table.c.id == job_id)).scalar_one()
        return found

    def free(self, connection: Connection, regions: Collection[str]) -> None:
        """End all claims on the jobs of *regions*."""
        columns = self._table.c
        claimed = columns.lease_owner.is_not(None)
        connection.execute(
            update(self._table)
            .where(columns.status.in_(self._unfinished), self._region.in_(regions), claimed)
            .values(lease_owner=None, lease_until=None)
        )

    def _waiting(self, regions: Collection[str]) -> Select[str]:
        columns = self._table.c
        return (
            select(columns.id)
            .where(
                columns.status.in_(self._unfinished),
                self._region.in_(regions),
                or_(columns.lease_until.is_(None), columns.lease_until < database_now()),
                or_(columns.run_after.is_(None), columns.run_after <= database_now()),
            )
            .order_by(columns.created_at, columns.id)
            .limit(1)
        )

    def _claimed(self, column: ColumnElement[str], owners: Collection[str]) -> Select[str]:
        columns = self._table.c
        # The status has an index.
        return select(column).where(columns.status.in_(self._unfinished), columns.lease_owner.in_(list(owners)))

    def _held(self, job_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
        columns = self._table.c
        return columns.id == job_id, columns.lease_owner == owner, columns.lease_until >= database_now()


COPIES = Leases(copy_jobs, copy_jobs.c.source_region_id, copy_job.UNFINISHED)
IMPORTS = Leases(tasks, tasks.c.region, task.UNFINISHED)


def free_jobs(connection: Connection, regions: Collection[str]) -> None:
    """End all claims on the unfinished jobs of *regions*, whose processes are dead."""
    for leases in (COPIES, IMPORTS):
        leases.free(connection, regions)
