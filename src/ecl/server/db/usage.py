"""What a project uses of a region, and whether its quotas allow more."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ecl.server.db.schema import image_locations, images
from ecl.server.domain.quota import Usage, check_usage, has_quotas
from ecl.server.domain.status import IMPORTING, INVISIBLE, SAVING, UPLOADING
from ecl.server.settings.model import ImageLimits

__all__ = ["check_quota", "usage_for_quotas", "usage_of"]


def usage_of(connection: Connection, region: str, owner: str | None) -> Usage:
    """Return what the images of *owner* use; an image without owner counts for no project."""
    if owner is None:
        return Usage(0, 0, 0, 0)
    own = (images.c.region == region, images.c.owner == owner, images.c.status.not_in(INVISIBLE))
    stored = (
        select(func.coalesce(func.sum(images.c.size), 0))
        .join(
            image_locations,
            (image_locations.c.region == images.c.region) & (image_locations.c.image_id == images.c.id),
        )
        .where(*own)
    )
    staged = select(func.coalesce(func.sum(images.c.size), 0)).where(*own, images.c.status == UPLOADING)
    count = select(func.count()).select_from(images).where(*own)
    filling = count.where(images.c.status.in_((SAVING, UPLOADING, IMPORTING)))
    return Usage(*(int(connection.execute(query).scalar_one()) for query in (stored, staged, count, filling)))


def usage_for_quotas(connection: Connection, region: str, owner: str | None, limits: ImageLimits) -> Usage:
    """Return what the images of *owner* use; zeros, without asking the database, if the settings set no quota."""
    return usage_of(connection, region, owner if has_quotas(limits) else None)


def check_quota(
    connection: Connection, region: str, owner: str | None, limits: ImageLimits, name: str, more: int
) -> None:
    """
    Raise TooLarge if *more* exceeds the quota *name* of the project *owner*.

    Args:
        name: A field of `Usage`.
        more: Images or bytes to add to what the project uses.
    """
    check_usage(limits, usage_for_quotas(connection, region, owner, limits), name, more)
