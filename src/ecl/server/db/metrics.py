"""What the metrics show of the database: numbers of jobs and images, and bytes in the stores."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ecl.server.db.schema import copy_jobs, image_locations, images, tasks
from ecl.server.domain.status import INVISIBLE

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
    """Return region, status and number of all images that are not deleted."""
    query = (
        select(images.c.region, images.c.status, func.count())
        .where(images.c.status.not_in(INVISIBLE))
        .group_by(images.c.region, images.c.status)
        .order_by(images.c.region, images.c.status)
    )
    return [(region, status, count) for region, status, count in connection.execute(query)]


def stored_bytes(connection: Connection) -> list[tuple[str, str, int]]:
    """Return region, store and the bytes of the images in it."""
    query = (
        select(image_locations.c.region, image_locations.c.store, func.coalesce(func.sum(images.c.size), 0))
        .join(images, (images.c.region == image_locations.c.region) & (images.c.id == image_locations.c.image_id))
        .group_by(image_locations.c.region, image_locations.c.store)
        .order_by(image_locations.c.region, image_locations.c.store)
    )
    return [(region, store, int(size)) for region, store, size in connection.execute(query)]
