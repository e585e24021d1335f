"""
Queries on the leases of jobs: who works on a copy job or an import task, and when the next attempt is.

Both tables have the same columns for that. Leases are measured by the database's clock. Projects take turns: the next
job is one of a project with the fewest running, and among those of the one that has waited longest since its last.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ecl.server.clock import MICROSECONDS
from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import copy_jobs, job_turns, tasks
from ecl.server.domain import copy_job, task
from ecl.server.errors import TooMany

__all__ = ["COPIES", "IMPORTS", "Leases", "free_jobs"]

#: Projects that are tried for a job before giving up: others may claim at the same moment.
_CANDIDATES = 5
#: Microseconds for which a turn counts.
_TURN_COUNTS = 24 * 3600 * MICROSECONDS


class Leases:
    """
    The leases of one kind of jobs.

    Args:
        table: The table of the jobs.
        region: Its column with the region whose process runs a job.
        project: Its column with the project whose turn a job takes.
        unfinished: The statuses of jobs that have not ended.
    """

    def __init__(
        self,
        table: Table,
        region: ColumnElement[str],
        project: ColumnElement[str | None],
        unfinished: frozenset[str],
    ) -> None:
        self._table = table
        self._region = region
        self._project = func.coalesce(project, "")
        self._project_column = project
        self._unfinished = sorted(unfinished)

    def claim(self, connection: Connection, regions: Collection[str], owner: str, lease: int) -> str | None:
        """
        Claim the next job of *regions* that waits, for *lease* microseconds. Return its ID, or None.

        Args:
            owner: Unique for each call.
        """
        for project in connection.execute(self._projects(regions)).scalars().all():
            job_id = self._claim_of(connection, regions, project, owner, lease)
            if job_id is not None:
                self._take_turn(connection, project)
                return job_id
        return None

    def _claim_of(
        self, connection: Connection, regions: Collection[str], project: str, owner: str, lease: int
    ) -> str | None:
        """Claim the oldest job of *project*; None if others were faster."""
        columns = self._table.c
        oldest = (
            select(columns.id)
            .where(*self._waiting(regions), self._project == project)
            .order_by(columns.created_at, columns.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        connection.execute(
            update(self._table)
            .where(columns.id == oldest.scalar_subquery())
            .values(lease_owner=owner, lease_until=database_now() + lease)
        )
        # Not RETURNING, which SQLite has since 3.35 only.
        return next(iter(connection.execute(self._claimed(columns.id, [owner])).scalars()), None)

    def _projects(self, regions: Collection[str]) -> Select[str]:
        """Return the query for the projects whose turn it is, the first one first."""
        columns = self._table.c
        project = self._project.label("project")
        waiting = (
            select(project, func.min(columns.created_at).label("oldest"))
            .where(*self._waiting(regions))
            .group_by(self._project)
            .subquery()
        )
        running = (
            select(project, func.count().label("jobs"))
            .where(columns.status.in_(self._unfinished), columns.lease_until >= database_now())
            .group_by(self._project)
            .subquery()
        )
        turn = (job_turns.c.project_id == waiting.c.project) & (job_turns.c.queue == self._table.name)
        return (
            select(waiting.c.project)
            .outerjoin(running, running.c.project == waiting.c.project)
            .outerjoin(job_turns, turn)
            .order_by(func.coalesce(running.c.jobs, 0), func.coalesce(job_turns.c.begun_at, 0), waiting.c.oldest)
            .limit(_CANDIDATES)
        )

    def _take_turn(self, connection: Connection, project: str) -> None:
        """Record that a job of *project* begins. A turn of long ago says nothing any more."""
        connection.execute(delete(job_turns).where(job_turns.c.begun_at < database_now() - _TURN_COUNTS))
        # The two databases have the same statement, SQLAlchemy has a function for each.
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        turn = {"queue": self._table.name, "project_id": project, "begun_at": database_now()}
        connection.execute(
            insert(job_turns)
            .values(turn)
            .on_conflict_do_update(index_elements=["queue", "project_id"], set_={"begun_at": database_now()})
        )

    def has_waiting(self, connection: Connection, regions: Collection[str]) -> bool:
        """Return True if a job of *regions* waits to be claimed."""
        return connection.execute(select(self._table.c.id).where(*self._waiting(regions)).limit(1)).first() is not None

    def check_most(self, connection: Connection, project: str | None, most: int) -> None:
        """
        Check that *project* may add a job.

        Raises:
            TooMany: It has *most* unfinished ones.
        """
        columns = self._table.c
        of_project = self._project_column.is_(None) if project is None else self._project_column == project
        unfinished = select(columns.id).where(columns.status.in_(self._unfinished), of_project).limit(most)
        if connection.execute(select(func.count()).select_from(unfinished.subquery())).scalar_one() >= most:
            raise TooMany(
                f"The project has {most} unfinished jobs of this kind, which is the most (project_jobs); "
                "try again when some have ended."
            )

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

    def _waiting(self, regions: Collection[str]) -> tuple[ColumnElement[bool], ...]:
        columns = self._table.c
        return (
            columns.status.in_(self._unfinished),
            self._region.in_(regions),
            or_(columns.lease_until.is_(None), columns.lease_until < database_now()),
            or_(columns.run_after.is_(None), columns.run_after <= database_now()),
        )

    def _claimed(self, column: ColumnElement[str], owners: Collection[str]) -> Select[str]:
        columns = self._table.c
        # The status has an index.
        return select(column).where(columns.status.in_(self._unfinished), columns.lease_owner.in_(list(owners)))

    def _held(self, job_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
        columns = self._table.c
        return columns.id == job_id, columns.lease_owner == owner, columns.lease_until >= database_now()


COPIES = Leases(copy_jobs, copy_jobs.c.source_region_id, copy_jobs.c.source_tenant_id, copy_job.UNFINISHED)
IMPORTS = Leases(tasks, tasks.c.region, tasks.c.owner, task.UNFINISHED)


def free_jobs(connection: Connection, regions: Collection[str]) -> None:
    """End all claims on the unfinished jobs of *regions*, whose processes are dead."""
    for leases in (COPIES, IMPORTS):
        leases.free(connection, regions)
