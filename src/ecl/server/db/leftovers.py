"""The files that a start may remove: those that, according to the database, no image needs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from ecl.server.db.images import ARRIVING
from ecl.server.db.schema import image_locations, images, tasks
from ecl.server.domain.status import DELETED, IMPORTING, SAVING, UPLOADING, WITH_DATA
from ecl.server.domain.task import UNFINISHED

__all__ = ["dead_and_known_keys", "dead_and_known_staged_keys", "unfinished_uploads"]

Keys = frozenset[str]


def unfinished_uploads(connection: Connection, region: str) -> Keys:
    """Return the IDs of the uploads that hold images; after a start, none of them continues."""
    query = select(images.c.upload_id).where(images.c.region == region, ARRIVING, images.c.upload_id.is_not(None))
    return frozenset(connection.execute(query).scalars())


def dead_and_known_keys(connection: Connection, region: str, store: str, keys: Collection[str]) -> tuple[Keys, Keys]:
    """
    Return those of *keys* whose data in *store* is dead, and those whose data belongs there.

    A file of a queued image is in neither: if an older database was restored, a client has uploaded it since.
    """
    located = _select(
        connection,
        select(image_locations.c.image_id).where(
            image_locations.c.region == region,
            image_locations.c.store == store,
            image_locations.c.image_id.in_(list(keys)),
        ),
    )
    # Clients may choose IDs, so an image that never had data tells nothing about a file with its ID.
    had_bytes = and_(images.c.status == DELETED, images.c.checksum.is_not(None))
    dead = _images(connection, region, keys, or_(had_bytes, images.c.status == SAVING))
    return dead - located, located | _with_unfinished_task(connection, region, keys)


def dead_and_known_staged_keys(connection: Connection, region: str, keys: Collection[str]) -> tuple[Keys, Keys]:
    """Return those of *keys* whose staged data is dead, and those whose staged data waits for its import."""
    unfinished = _with_unfinished_task(connection, region, keys)
    waiting = and_(images.c.status == UPLOADING, images.c.upload_id.is_(None))
    known = _images(connection, region, keys, or_(waiting, images.c.status == IMPORTING)) | unfinished
    gone = _images(connection, region, keys, or_(images.c.status == DELETED, ARRIVING))
    imported = _images(connection, region, keys, images.c.status.in_(WITH_DATA))
    return gone | (imported - unfinished), known


def _with_unfinished_task(connection: Connection, region: str, keys: Collection[str]) -> Keys:
    """Return those of *keys* with a task that has not ended."""
    query = select(tasks.c.image_id).where(
        tasks.c.region == region, tasks.c.image_id.in_(list(keys)), tasks.c.status.in_(UNFINISHED)
    )
    return _select(connection, query)


def _images(connection: Connection, region: str, keys: Collection[str], condition: ColumnElement[bool]) -> Keys:
    query = select(images.c.id).where(images.c.region == region, images.c.id.in_(list(keys)), condition)
    return _select(connection, query)


# Any: a task may have no image, but not one that was selected by its key.
def _select(connection: Connection, query: Select[Any]) -> Keys:
    return frozenset(connection.execute(query).scalars())
