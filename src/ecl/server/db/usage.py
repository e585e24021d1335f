"""What a project uses of a region."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ecl.server.db.schema import image_locations, images
from ecl.server.domain.status import IMPORTING, INVISIBLE, SAVING, UPLOADING
from ecl.server.domain.usage import Usage

__all__ = ["usage_of"]


def usage_of(connection: Connection, region: str, owner: str | None) -> Usage:
    """Return what the images of *owner* take; images that belong to nobody count for nobody."""
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
