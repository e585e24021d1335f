"""Queries by which tests remove everything, or what some projects have. None as *owners* means every project."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select, true

from ecl.server.db.metadef_schema import metadef_namespaces
from ecl.server.db.schema import copy_jobs, image_members, images, tasks, uploads
from ecl.server.domain.status import DELETED

__all__ = ["forget_deleted", "images_of", "remove_jobs", "remove_namespaces"]


def images_of(connection: Connection, region: str, owners: Collection[str] | None) -> list[str]:
    """Return the IDs of the images of a region that are there, sorted."""
    there = select(images.c.id).where(images.c.region == region, images.c.status != DELETED)
    return list(connection.execute(there.where(_is_of(images.c.owner, owners)).order_by(images.c.id)).scalars())


def forget_deleted(connection: Connection, region: str, owners: Collection[str] | None) -> None:
    """Remove the rows of deleted images, so that their IDs can be used again, and what projects see as members."""
    is_uploading = exists(
        select(uploads.c.upload_id).where(uploads.c.region == images.c.region, uploads.c.image_id == images.c.id)
    )
    gone = delete(images).where(images.c.region == region, images.c.status == DELETED, ~is_uploading)
    connection.execute(gone.where(_is_of(images.c.owner, owners)))
    seen = delete(image_members).where(image_members.c.region == region)
    connection.execute(seen.where(_is_of(image_members.c.member_id, owners)))


def remove_jobs(connection: Connection, owners: Collection[str] | None) -> None:
    """Remove copy jobs and import tasks. One that runs stops at its next block."""
    columns = copy_jobs.c
    of_owners = or_(_is_of(columns.source_tenant_id, owners), _is_of(columns.destination_tenant_id, owners))
    connection.execute(delete(copy_jobs).where(of_owners))
    connection.execute(delete(tasks).where(_is_of(tasks.c.owner, owners)))


def remove_namespaces(connection: Connection, owners: Collection[str]) -> None:
    """Remove the namespaces of metadata definitions of *owners*."""
    connection.execute(delete(metadef_namespaces).where(_is_of(metadef_namespaces.c.owner, owners)))


# Any: the columns of owners differ in whether they may be null.
def _is_of(column: ColumnElement[Any], owners: Collection[str] | None) -> ColumnElement[bool]:
    return true() if owners is None else column.in_(sorted(owners))
