"""
Deletes of rows that are old enough, in steps: each deletes a bounded number of rows, so that no writer waits for long.

Ages are measured by the database's clock where its rows are, else by this host's, as the rows' times are.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, select, tuple_

from ecl.server.clock import now
from ecl.server.db.schema import copy_jobs, images, tasks, uploads
from ecl.server.domain import copy_job
from ecl.server.domain.status import DELETED

__all__ = ["purge_copy_jobs", "purge_deleted_images", "purge_tasks"]


def purge_deleted_images(connection: Connection, regions: Collection[str], age: int, limit: int) -> int:
    """
    Delete up to *limit* rows of images of *regions* that were deleted *age* microseconds ago or earlier.

    Their IDs can be used again after that.

    Returns:
        How many rows were deleted.
    """
    is_uploading = exists(
        select(uploads.c.upload_id).where(uploads.c.region == images.c.region, uploads.c.image_id == images.c.id)
    )
    old = (
        select(images.c.region, images.c.id)
        .where(images.c.region.in_(regions), images.c.deleted_at <= now() - age, images.c.status == DELETED)
        .where(~is_uploading)
        .limit(limit)
    )
    doomed = [(region, image_id) for region, image_id in connection.execute(old)]
    if doomed:
        connection.execute(delete(images).where(tuple_(images.c.region, images.c.id).in_(doomed)))
    return len(doomed)


def purge_tasks(connection: Connection, regions: Collection[str], limit: int) -> int:
    """Delete up to *limit* tasks of *regions* that have expired. Return how many."""
    old = select(tasks.c.id).where(tasks.c.region.in_(regions), tasks.c.expires_at <= now()).limit(limit)
    doomed = list(connection.execute(old).scalars())
    if doomed:
        connection.execute(delete(tasks).where(tasks.c.id.in_(doomed)))
    return len(doomed)


def purge_copy_jobs(connection: Connection, regions: Collection[str], age: int, limit: int) -> int:
    """Delete up to *limit* copy jobs from *regions* that ended *age* microseconds ago or earlier. Return how many."""
    old = select(copy_jobs.c.id).where(
        copy_jobs.c.source_region_id.in_(regions),
        copy_jobs.c.updated_at <= now() - age,
        copy_jobs.c.status.not_in(copy_job.UNFINISHED),
    )
    doomed = list(connection.execute(old.limit(limit)).scalars())
    if doomed:
        connection.execute(delete(copy_jobs).where(copy_jobs.c.id.in_(doomed)))
    return len(doomed)
