"""Queries on copy jobs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, insert, select, tuple_, update

from ecl.server.clock import now
from ecl.server.db.schema import copy_jobs
from ecl.server.domain.copy_job import CopyJob

__all__ = ["change_job", "fetch_job", "insert_job", "jobs_after", "newest_jobs"]

_NAMES = tuple(CopyJob.__dataclass_fields__)
_COLUMNS = tuple(copy_jobs.c[name] for name in _NAMES)


def insert_job(connection: Connection, job: CopyJob) -> None:
    """Add *job*."""
    values = {name: getattr(job, name) for name in _NAMES}
    time = now()
    connection.execute(insert(copy_jobs).values(**values, created_at=time, updated_at=time))


def fetch_job(connection: Connection, job_id: str) -> CopyJob | None:
    """Return the job, or None."""
    row = connection.execute(select(*_COLUMNS).where(copy_jobs.c.id == job_id)).first()
    return None if row is None else CopyJob(*row)


def newest_jobs(connection: Connection, region: str, tenant: str | None, limit: int) -> list[CopyJob]:
    """Return the newest *limit* jobs that copy from *region*, of one *tenant* or, with None, of all; oldest first."""
    query = _of_tenant(region, tenant).order_by(copy_jobs.c.created_at.desc(), copy_jobs.c.id.desc()).limit(limit)
    return [CopyJob(*row) for row in connection.execute(query)][::-1]


def jobs_after(
    connection: Connection, region: str, tenant: str | None, marker: str | None, limit: int
) -> list[CopyJob] | None:
    """
    Return a page of the jobs that copy from *region*, of one *tenant* or, with None, of all; oldest first.

    Args:
        marker: ID of the last job of the page before; None: the first page.

    Returns:
        None if there is no such job as *marker*.
    """
    query = _of_tenant(region, tenant)
    order = (copy_jobs.c.created_at, copy_jobs.c.id)
    if marker is not None:
        last = connection.execute(_of_tenant(region, tenant, *order).where(copy_jobs.c.id == marker)).first()
        if last is None:
            return None
        query = query.where(tuple_(*order) > tuple(last))
    return [CopyJob(*row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _of_tenant(region: str, tenant: str | None, *columns: Any) -> Select[Any]:  # Any: columns of any types
    query = select(*(columns or _COLUMNS)).where(copy_jobs.c.source_region_id == region)
    return query if tenant is None else query.where(copy_jobs.c.source_tenant_id == tenant)


def change_job(connection: Connection, job_id: str, only_if: Collection[str], **values: Any) -> bool:
    """Set *values* if the status of the job is in *only_if*. Return True if it was."""
    changed = connection.execute(
        update(copy_jobs)
        .where(copy_jobs.c.id == job_id, copy_jobs.c.status.in_(only_if))
        .values(**values, updated_at=now())
    )
    return changed.rowcount == 1
