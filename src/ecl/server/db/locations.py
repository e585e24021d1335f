"""Queries on locations: the stores that have the data of an image."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from ecl.server.clock import now
from ecl.server.db.schema import image_locations, images
from ecl.server.domain.status import DELETED

__all__ = [
    "add_location",
    "locations_of",
    "pending_removals",
    "remove_location",
]


# Built once, because building a query takes many times longer than running it.
_STORES = (
    select(image_locations.c.store)
    .where(image_locations.c.region == bindparam("region"), image_locations.c.image_id == bindparam("image_id"))
    .order_by(image_locations.c.created_at, image_locations.c.store)
)
_ADD = insert(image_locations)


def add_location(connection: Connection, region: str, image_id: str, store: str) -> None:
    """Record that *store* has the image's data."""
    values = {"region": region, "image_id": image_id, "store": store, "created_at": now()}
    connection.execute(_ADD, values)


def locations_of(connection: Connection, region: str, image_id: str) -> list[str]:
    """Return the names of the stores that have the image's data, the oldest first."""
    return [row[0] for row in connection.execute(_STORES, {"region": region, "image_id": image_id})]


def remove_location(connection: Connection, region: str, image_id: str, store: str) -> None:
    """Record that *store* no longer has the image's data."""
    connection.execute(
        delete(image_locations).where(
            image_locations.c.region == region,
            image_locations.c.image_id == image_id,
            image_locations.c.store == store,
        )
    )


def pending_removals(connection: Connection, region: str) -> Sequence[tuple[str, str]]:
    """Return image ID and store of the data of deleted images."""
    query = (
        select(image_locations.c.image_id, image_locations.c.store)
        .join(
            images,
            (images.c.region == image_locations.c.region) & (images.c.id == image_locations.c.image_id),
        )
        .where(image_locations.c.region == region, images.c.status == DELETED)
    )
    return [(image_id, store) for image_id, store in connection.execute(query)]
