"""Queries on the staging area: which key is staged for which image."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from ecl.server.clock import now
from ecl.server.db.garbage import STAGING, Garbage, add_garbage
from ecl.server.db.schema import images, staged_data

__all__ = ["discard_staged", "release_staged", "set_staged", "staged_key"]


def staged_key(connection: Connection, region: str, image_id: str) -> str | None:
    """Return the key of the data that is staged for the image, or None."""
    query = select(staged_data.c.key).where(staged_data.c.region == region, staged_data.c.image_id == image_id)
    return connection.execute(query).scalar()


def set_staged(connection: Connection, region: str, image_id: str, key: str) -> None:
    """Record that data is staged for the image; data that was staged before is to be removed."""
    discard_staged(connection, region, image_id)
    connection.execute(insert(staged_data).values(region=region, image_id=image_id, key=key, created_at=now()))


def discard_staged(connection: Connection, region: str, image_id: str) -> Sequence[Garbage]:
    """Let the data that is staged for the image be removed, if there is some. Return it."""
    key = staged_key(connection, region, image_id)
    if key is None:
        return ()
    connection.execute(delete(staged_data).where(staged_data.c.region == region, staged_data.c.image_id == image_id))
    query = select(images.c.owner, images.c.size).where(images.c.region == region, images.c.id == image_id)
    owner, size = connection.execute(query).one()
    return (add_garbage(connection, Garbage(region, STAGING, key, image_id, owner=owner, size=size)),)


def release_staged(connection: Connection, region: str, image_id: str, key: str) -> bool:
    """Record that *key* is staged no more, because a store has it now. Return False if it was not staged."""
    columns = staged_data.c
    where = (columns.region == region) & (columns.image_id == image_id) & (columns.key == key)
    return connection.execute(delete(staged_data).where(where)).rowcount == 1
