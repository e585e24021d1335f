"""Queries on copy jobs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ecl.server.clock import now
from ecl.server.db.schema import copy_jobs
from ecl.server.domain.copy_job import CopyJob

__all__ = ["change_job", "fetch_job", "insert_job", "list_jobs"]

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


def list_jobs(connection: Connection, region: str, tenant: str | None) -> list[CopyJob]:
    """Return the jobs that copy from *region*, of one *tenant* or, with None, of all; the oldest first."""
    query = select(*_COLUMNS).where(copy_jobs.c.source_region_id == region)
    if tenant is not None:
        query = query.where(copy_jobs.c.source_tenant_id == tenant)
    rows = connection.execute(query.order_by(copy_jobs.c.created_at, copy_jobs.c.id))
    return [CopyJob(*row) for row in rows]


def change_job(connection: Connection, job_id: str, only_if: Collection[str], **values: Any) -> bool:
    """Set *values* if the status of the job is in *only_if*. Return True if it was."""
    changed = connection.execute(
        update(copy_jobs)
        .where(copy_jobs.c.id == job_id, copy_jobs.c.status.in_(only_if))
        .values(**values, updated_at=now())
    )
    return changed.rowcount == 1
