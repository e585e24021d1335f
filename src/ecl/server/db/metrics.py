"""What the metrics show of the database: numbers of jobs and images, and bytes in the stores."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ecl.server.db.schema import copy_jobs, project_usage, store_usage, tasks
from ecl.server.domain.status import COUNTED

__all__ = ["count_images", "count_jobs", "stored_bytes"]


def count_jobs(connection: Connection) -> list[tuple[str, str, str, int]]:
    """Return region, kind (``copy`` or ``import``), status and number of all jobs."""
    counts = []
    for kind, table, region in (("copy", copy_jobs, copy_jobs.c.source_region_id), ("import", tasks, tasks.c.region)):
        query = select(region, table.c.status, func.count()).group_by(region, table.c.status)
        rows = connection.execute(query.order_by(region, table.c.status))
        counts += [(name, kind, status, count) for name, status, count in rows]
    return counts


def count_images(connection: Connection) -> list[tuple[str, str, int]]:
    """Return region, status and number of all images that are not deleted, from the sums of the projects."""
    sums = project_usage.c
    query = select(sums.region, *(func.sum(sums[status]) for status in COUNTED)).group_by(sums.region)
    return [
        (region, status, int(count))
        for region, *counts in connection.execute(query.order_by(sums.region))
        for status, count in sorted(zip(COUNTED, counts, strict=True))
        if count
    ]


def stored_bytes(connection: Connection) -> list[tuple[str, str, int]]:
    """Return region, store and the bytes of the images in it, from the sums of the projects."""
    sums = store_usage.c
    query = select(sums.region, sums.store, func.sum(sums.bytes)).group_by(sums.region, sums.store)
    rows = connection.execute(query.order_by(sums.region, sums.store))
    return [(region, store, int(size)) for region, store, size in rows]
