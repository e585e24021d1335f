"""Queries on locations: the stores that have the data of an image, and its key there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from ecl.server.clock import now
from ecl.server.db.garbage import Garbage, add_garbage
from ecl.server.db.schema import image_locations
from ecl.server.db.usage import stored_change
from ecl.server.domain.location import ELSEWHERE

__all__ = [
    "KEY",
    "add_address",
    "add_location",
    "address_of",
    "addresses_of",
    "discard_locations",
    "locations_of",
    "set_details",
]

#: The key of a location. An older release that serves another region of the same database records none.
KEY = func.coalesce(image_locations.c.key, image_locations.c.image_id)

# Built once, because building a query takes many times longer than running it.
_STORES = (
    select(image_locations.c.store, KEY)
    .where(image_locations.c.region == bindparam("region"), image_locations.c.image_id == bindparam("image_id"))
    .order_by(image_locations.c.created_at, image_locations.c.store)
)
_ADD = insert(image_locations)


def add_location(connection: Connection, region: str, image_id: str, store: str, key: str) -> None:
    """Record that *store* has the image's data under *key*."""
    values = {"region": region, "image_id": image_id, "store": store, "key": key, "created_at": now()}
    connection.execute(_ADD, values)
    stored_change(connection, region, image_id, store, 1)


def locations_of(connection: Connection, region: str, image_id: str) -> dict[str, str]:
    """Return the names of the stores that have the image's data, the oldest first, and its key in each."""
    rows = connection.execute(_STORES, {"region": region, "image_id": image_id})
    return {row[0]: row[1] for row in rows}


def add_address(
    connection: Connection, region: str, image_id: str, store: str, key: str, url: str, details: Mapping[str, Any]
) -> None:
    """Record that the image's data is at *url*, in a *store* for addresses elsewhere, with what is kept with it."""
    add_location(connection, region, image_id, store, key)
    of_image = (image_locations.c.region == region) & (image_locations.c.image_id == image_id)
    added = update(image_locations).where(of_image, image_locations.c.store == store)
    connection.execute(added.values(url=url, details=msgspec.json.encode(details).decode()))


def set_details(connection: Connection, region: str, image_id: str, store: str, details: Mapping[str, Any]) -> None:
    """Replace what is kept with a location."""
    of_image = (image_locations.c.region == region) & (image_locations.c.image_id == image_id)
    changed = update(image_locations).where(of_image, image_locations.c.store == store)
    connection.execute(changed.values(details=msgspec.json.encode(details).decode()))


def address_of(connection: Connection, region: str, store: str, key: str) -> str | None:
    """Return the address with the data under *key*, None if there is none any more."""
    columns = image_locations.c
    query = select(columns.url).where(columns.region == region, columns.store == store, columns.key == key)
    return connection.execute(query).scalar()


def addresses_of(
    connection: Connection, region: str, image_ids: Collection[str]
) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return image ID, store, address, and what is kept with it, of the locations elsewhere of some images."""
    columns = image_locations.c
    query = select(columns.image_id, columns.store, columns.url, columns.details)
    rows = connection.execute(
        query.where(columns.region == region, columns.image_id.in_(list(image_ids)), columns.url.is_not(None))
    )
    return [
        (image_id, store, url, msgspec.json.decode(details, type=dict[str, Any]))
        for image_id, store, url, details in rows
    ]


def discard_locations(
    connection: Connection, region: str, image_id: str, stores: Collection[str] | None = None
) -> list[Garbage]:
    """Record that *stores* (None: all) no longer have the image's data, and let it be removed. Return it."""
    found = locations_of(connection, region, image_id)
    discarded = []
    # Sorted, as the sums of all stores are locked in one order.
    for store, key in sorted(found.items()):
        if stores is not None and store not in stores:
            continue
        connection.execute(
            delete(image_locations).where(
                image_locations.c.region == region,
                image_locations.c.image_id == image_id,
                image_locations.c.store == store,
            )
        )
        stored_change(connection, region, image_id, store, -1)
        # What is elsewhere is not ours to remove.
        if store != ELSEWHERE:
            discarded.append(add_garbage(connection, Garbage(region, store, key, image_id)))
    return discarded
