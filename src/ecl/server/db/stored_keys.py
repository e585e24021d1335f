"""Queries on all the data that the database names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, literal, null, select, union_all

from ecl.server.db.garbage import STAGING
from ecl.server.db.locations import KEY
from ecl.server.db.schema import garbage, image_locations, images, staged_data

__all__ = ["StoredKey", "places_in_use", "sample_keys", "stored_keys"]

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class StoredKey:
    """Data under one key."""

    region: str
    #: A store's name, or `STAGING`.
    place: str
    key: str
    #: Bytes; None if they are not known.
    size: int | None
    #: False for garbage, which may be gone.
    is_needed: bool


_LOCATIONS = select(image_locations.c.region, image_locations.c.store, KEY, images.c.size, literal(True)).join(
    images, (images.c.region == image_locations.c.region) & (images.c.id == image_locations.c.image_id)
)
_STAGED = select(staged_data.c.region, literal(STAGING), staged_data.c.key, null(), literal(True))
_GARBAGE = select(garbage.c.region, garbage.c.store, garbage.c.key, null(), literal(False))


def stored_keys(connection: Connection, *, with_garbage: bool = False) -> Iterator[StoredKey]:
    """Yield all data that images have in stores and in staging areas; *with_garbage* also what is to be removed."""
    for query in (_LOCATIONS, _STAGED, *((_GARBAGE,) if with_garbage else ())):
        for row in connection.execution_options(yield_per=_BATCH).execute(query):
            yield StoredKey(row[0], row[1], row[2], row[3], bool(row[4]))


def sample_keys(connection: Connection, region: str, place: str, limit: int) -> Sequence[str]:
    """Return up to *limit* keys that are in use in a store, or a staging area."""
    if place == STAGING:
        query = select(staged_data.c.key).where(staged_data.c.region == region)
    else:
        query = select(KEY).where(image_locations.c.region == region, image_locations.c.store == place)
    return list(connection.execute(query.limit(limit)).scalars())


def places_in_use(connection: Connection) -> Sequence[tuple[str, str]]:
    """Return the regions and stores (or `STAGING`) that have data of images."""
    query = union_all(
        select(image_locations.c.region, image_locations.c.store).distinct(),
        select(staged_data.c.region, literal(STAGING)).distinct(),
    )
    return sorted((region, place) for region, place in connection.execute(query))
