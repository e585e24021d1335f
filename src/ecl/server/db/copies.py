"""Queries on copies: the data of one image in one store, what it must be like, and whether it was found damaged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.garbage import Garbage, add_garbage
from ecl.server.db.locations import KEY
from ecl.server.db.schema import image_locations, images

__all__ = [
    "Copy",
    "count_damaged",
    "damaged_stores",
    "is_current",
    "mark_copy",
    "page_of_copies",
    "replace_key",
    "same_data",
]


@dataclass(frozen=True, slots=True)
class Copy:
    """The data of an image in one store."""

    region: str
    image_id: str
    store: str
    key: str
    #: Bytes that it must have, and their hashes. None if they are not known.
    size: int | None
    os_hash_algo: str | None
    os_hash_value: str | None
    checksum: str | None
    #: True if it was found damaged, and is not served.
    is_damaged: bool

    @property
    def position(self) -> tuple[str, str, str]:
        """Its place in the order of `page_of_copies`."""
        return self.region, self.image_id, self.store


_LOCATION = image_locations.c
_QUERY = select(
    _LOCATION.region,
    _LOCATION.image_id,
    _LOCATION.store,
    KEY,
    images.c.size,
    images.c.os_hash_algo,
    images.c.os_hash_value,
    images.c.checksum,
    _LOCATION.damaged_at.is_not(None),
).join(images, and_(images.c.region == _LOCATION.region, images.c.id == _LOCATION.image_id))


def page_of_copies(
    connection: Connection, regions: Collection[str], after: tuple[str, str, str] | None, limit: int
) -> Sequence[Copy]:
    """Return up to *limit* copies in *regions* behind the position *after*; None: from the beginning."""
    order = (_LOCATION.region, _LOCATION.image_id, _LOCATION.store)
    query = _QUERY.where(_LOCATION.region.in_(regions)).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [Copy(*row) for row in connection.execute(query)]


def is_current(connection: Connection, copy: Copy) -> bool:
    """Return True if the image still has its data there."""
    return connection.execute(select(_LOCATION.key).where(_is(copy))).first() is not None


def mark_copy(connection: Connection, copy: Copy, *, damaged: bool) -> bool:
    """Record that the copy is damaged, so that it is not served, or sound. Return False if it is not current."""
    time = database_now() if damaged else None
    return connection.execute(update(image_locations).where(_is(copy)).values(damaged_at=time)).rowcount == 1


def replace_key(connection: Connection, copy: Copy, key: str) -> Garbage | None:
    """
    Let the image have its data in this store under *key*, and the old data be removed.

    Returns:
        The old data; None if the copy is not current, and nothing was changed.
    """
    values = {"key": key, "damaged_at": None}
    if connection.execute(update(image_locations).where(_is(copy)).values(values)).rowcount == 0:
        return None
    return add_garbage(connection, Garbage(copy.region, copy.store, copy.key, copy.image_id))


def same_data(connection: Connection, regions: Collection[str], copy: Copy) -> Sequence[Copy]:
    """
    Return the other copies in *regions* that should have the same data, those of the same image first.

    Copies of other images count: one that a copy job has made in another region has the same hash.
    """
    is_same_image = and_(_LOCATION.region == copy.region, _LOCATION.image_id == copy.image_id)
    conditions = [is_same_image]
    if copy.os_hash_value is not None:
        conditions.append(
            and_(
                images.c.region.in_(regions),
                # These three have an index.
                images.c.os_hidden.in_([False, True]),
                images.c.size == copy.size,
                images.c.os_hash_algo == copy.os_hash_algo,
                images.c.os_hash_value == copy.os_hash_value,
            )
        )
    found = [Copy(*row) for row in connection.execute(_QUERY.where(or_(*conditions)))]
    others = [other for other in found if other.position != copy.position and not other.is_damaged]
    return sorted(others, key=lambda other: (other.image_id != copy.image_id, other.region != copy.region))


def damaged_stores(connection: Connection, region: str, image_id: str) -> frozenset[str]:
    """Return the names of the stores whose copy of the image is damaged."""
    query = select(_LOCATION.store).where(
        _LOCATION.region == region, _LOCATION.image_id == image_id, _LOCATION.damaged_at.is_not(None)
    )
    return frozenset(connection.execute(query).scalars())


def count_damaged(connection: Connection) -> Sequence[tuple[str, str, int]]:
    """Return region, store and the number of damaged copies there."""
    # Grouped by expressions: else SQLite reads all locations, in the order of the groups, and not the few damaged ones.
    region, store = (func.coalesce(column, column) for column in (_LOCATION.region, _LOCATION.store))
    query = (
        select(region, store, func.count())
        .where(_LOCATION.damaged_at.is_not(None))
        .group_by(region, store)
        .order_by(region, store)
    )
    return [(region, store, count) for region, store, count in connection.execute(query)]


def _is(copy: Copy) -> ColumnElement[bool]:
    return and_(
        _LOCATION.region == copy.region,
        _LOCATION.image_id == copy.image_id,
        _LOCATION.store == copy.store,
        KEY == copy.key,  # noqa: SIM300 - a column
    )
