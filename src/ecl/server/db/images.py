"""Queries on one image: its row, its tags, its properties."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ecl.server.clock import now
from ecl.server.db.engine import may_write
from ecl.server.db.garbage import Garbage
from ecl.server.db.locations import addresses_of, discard_locations, locations_of
from ecl.server.db.schema import image_members, image_properties, image_tags, images, live, uploads
from ecl.server.db.staging import discard_staged
from ecl.server.db.usage import add_stored, add_usage, counted, move_usage
from ecl.server.domain.image import Image
from ecl.server.domain.location import ELSEWHERE
from ecl.server.domain.status import DELETED, INVISIBLE, QUEUED, SAVING, UPLOADING, check_move, may_become
from ecl.server.errors import Conflict

__all__ = [
    "IMAGE_COLUMNS",
    "PARTS",
    "add_addresses",
    "add_parts",
    "add_tag",
    "change_status",
    "fetch_image",
    "id_is_taken",
    "id_taken",
    "image_from_row",
    "insert_image",
    "lock_image",
    "mark_deleted",
    "release_orphans",
    "remove_tag",
    "update_image",
]

#: The columns of `Image` in the order of its fields; the fields after them are in other tables.
IMAGE_COLUMNS = tuple(images.c[field.name] for field in fields(Image) if field.name in images.c)
_NAMES = tuple(column.name for column in IMAGE_COLUMNS)

#: What an image counts for: its owner, status and size.
_Counts = tuple[str | None, str, int | None]

# Built once, because each request needs them and building a query takes many times longer than running it.
_IMAGE = select(*IMAGE_COLUMNS).where(
    images.c.region == bindparam("region"),
    images.c.id == bindparam("image_id"),
    and_(*(images.c.status != status for status in sorted(INVISIBLE))),
)
_IS_TAKEN = select(images.c.id).where(images.c.region == bindparam("region"), images.c.id == bindparam("image_id"))
_TAGS = (
    select(image_tags.c.tag)
    .where(image_tags.c.region == bindparam("region"), image_tags.c.image_id == bindparam("image_id"))
    .order_by(image_tags.c.tag)
)
_PROPERTIES = (
    select(image_properties.c.name, image_properties.c.value)
    .where(image_properties.c.region == bindparam("region"), image_properties.c.image_id == bindparam("image_id"))
    .order_by(image_properties.c.position)
)


def _rows_of(table: str, columns: str, order: str) -> ColumnElement[Any]:
    """Return the rows of an image in another table as one column, which only PostgreSQL can."""
    rows = f"SELECT {columns} FROM {table} WHERE region = images.region AND image_id = images.id ORDER BY {order}"  # noqa: S608 - constants
    return literal_column(f"ARRAY({rows})")


#: Tags, properties and stores of an image, for `add_parts`.
PARTS = (
    _rows_of("image_tags", "tag", "tag"),
    _rows_of("image_properties", "ARRAY[name, value]", "position"),
    _rows_of("image_locations", "ARRAY[store, COALESCE(key, image_id)]", "created_at, store"),
)
_WHOLE_IMAGE = _IMAGE.add_columns(*PARTS)
_INSERT = insert(images)
#: Images that an upload holds: to a store, or to the staging area. Each is found by an index: of statuses, for images
#: that are hidden and that are not, and of uploads.
_ARRIVING = (
    (images.c.status == SAVING) & images.c.os_hidden.in_((False, True)) & live,
    (images.c.status == UPLOADING) & images.c.upload_id.is_not(None),
)
# The names of the values are those of the columns to set, so parameters of conditions need other names.
_CHANGE = update(images).where(images.c.region == bindparam("in_region"), images.c.id == bindparam("of_image"))
# "NO KEY", as an update locks: others may refer to the row meanwhile.
_LOCK = (
    select(images.c.id)
    .where(images.c.region == bindparam("region"), images.c.id == bindparam("image_id"))
    .with_for_update(key_share=True)
)
_HELD = _LOCK.with_only_columns(images.c.owner, images.c.status, images.c.size, images.c.upload_id)


def _is(region: str, image_id: str) -> Any:  # Any: SQLAlchemy's `&` of two conditions
    return (images.c.region == region) & (images.c.id == image_id)


def image_from_row(row: Sequence[Any]) -> Image:
    """Return the image of a *row* of `IMAGE_COLUMNS`, without tags and properties."""
    return Image(*row)


def id_taken(image_id: str) -> Conflict:
    """Return the error for an ID that an image has, or had."""
    return Conflict(f"The ID {image_id} is taken, or was taken by an image that is deleted now.")


def id_is_taken(connection: Connection, region: str, image_id: str) -> bool:
    """Return True if an image of *region*, even a deleted one, has the ID."""
    return connection.execute(_IS_TAKEN, {"region": region, "image_id": image_id}).first() is not None


def fetch_image(connection: Connection, region: str, image_id: str) -> Image | None:
    """
    Return the image with its tags, properties and stores; None if it does not exist or is deleted.

    In a transaction that may write, nobody else changes the image until the end.
    """
    key = {"region": region, "image_id": image_id}
    if connection.dialect.name == "postgresql":
        if may_write(connection):
            # First: what waits here must not read what was true before it waited.
            lock_image(connection, region, image_id)
        return _fetch_at_once(connection, key)
    row = connection.execute(_IMAGE, key).first()
    if row is None:
        return None
    image = image_from_row(row)
    image.tags = [row[0] for row in connection.execute(_TAGS, key)]
    image.properties = {row[0]: row[1] for row in connection.execute(_PROPERTIES, key)}
    image.stores = locations_of(connection, region, image_id)
    add_addresses(connection, region, [image])
    return image


def lock_image(connection: Connection, region: str, image_id: str) -> None:
    """Let nobody else change the image until the end of the transaction, which may write."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK, {"region": region, "image_id": image_id})


def _fetch_at_once(connection: Connection, key: Mapping[str, str]) -> Image | None:
    """Fetch the image by one statement: a round trip to PostgreSQL takes longer than the reading."""
    row = connection.execute(_WHOLE_IMAGE, key).first()
    if row is None:
        return None
    image = image_from_row(row[: -len(PARTS)])
    add_parts(image, *row[-len(PARTS) :])
    add_addresses(connection, key["region"], [image])
    return image


def add_parts(image: Image, tags: list[str], properties: list[list[str]], stores: list[list[str]]) -> None:
    """Add to *image* what a database gave for `PARTS`."""
    image.tags, image.properties, image.stores = tags, dict(properties), dict(stores)


def add_addresses(connection: Connection, region: str, found: Collection[Image]) -> None:
    """Add to each image the address that it has elsewhere; without one nothing is asked."""
    elsewhere = {image.id: image for image in found if ELSEWHERE in image.stores}
    for image_id, store, url, details in addresses_of(connection, region, elsewhere) if elsewhere else ():
        elsewhere[image_id].addresses[store] = (url, details)


def insert_image(connection: Connection, region: str, image: Image) -> None:
    """
    Add *image* with its tags and properties.

    Raises:
        Conflict: Another transaction has just added an image of this ID.
    """
    try:
        connection.execute(_INSERT, {"region": region, **{name: getattr(image, name) for name in _NAMES}})
    except IntegrityError as exc:
        raise id_taken(image.id) from exc
    _insert_tags(connection, region, image.id, image.tags)
    _insert_properties(connection, region, image.id, image.properties.items(), first_position=0)
    add_usage(connection, region, image.owner, counted(image.status, image.size))


def update_image(connection: Connection, region: str, before: Image, after: Image) -> None:
    """Store what differs between *before* and *after*, and the time of the change."""
    check_move(before.status, after.status)
    changed = {name: getattr(after, name) for name in _NAMES if getattr(after, name) != getattr(before, name)}
    connection.execute(update(images).where(_is(region, after.id)).values(**changed, updated_at=now()))
    old_tags, new_tags = set(before.tags), set(after.tags)
    if gone := old_tags - new_tags:
        _delete_tags(connection, region, after.id, gone)
    _insert_tags(connection, region, after.id, sorted(new_tags - old_tags))
    _update_properties(connection, region, after.id, before.properties, after.properties)
    move_usage(connection, region, _counts(before), _counts(after))
    if (before.owner, before.size) != (after.owner, after.size):
        _move_stored(connection, region, before.id, _counts(before), _counts(after))


def _counts(image: Image) -> _Counts:
    return image.owner, image.status, image.size


def _move_stored(connection: Connection, region: str, image_id: str, before: _Counts, after: _Counts) -> None:
    """Count the bytes in the stores of an image whose owner or size changes."""
    stores = locations_of(connection, region, image_id)
    amounts = sorted((owner or "", sign * (size or 0)) for sign, (owner, _, size) in ((-1, before), (1, after)))
    for owner, amount in amounts:
        for store in sorted(stores):
            add_stored(connection, region, owner, store, amount)


def _update_properties(
    connection: Connection, region: str, image_id: str, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    of_image = (image_properties.c.region == region) & (image_properties.c.image_id == image_id)
    kept = [name for name in before if name in after]
    if len(kept) != len(before) or list(after)[: len(kept)] != kept:
        # A property was removed, or removed and added again: rewrite all, so that the positions stay in order.
        connection.execute(delete(image_properties).where(of_image))
        _insert_properties(connection, region, image_id, after.items(), first_position=0)
        return
    for name in kept:
        if before[name] != after[name]:
            connection.execute(
                update(image_properties).where(of_image, image_properties.c.name == name).values(value=after[name])
            )
    added = [(name, value) for name, value in after.items() if name not in before]
    _insert_properties(connection, region, image_id, added, first_position=len(kept))


def change_status(
    connection: Connection,
    region: str,
    image_id: str,
    *,
    before: str,
    after: str,
    held_by: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """
    Change the status of the image from *before* to *after*.

    Args:
        held_by: The ID of the upload that must hold the image; None: it does not matter.
        values: Other columns to set.

    Returns:
        False if the image has another status than *before*, or another upload holds it.
    """
    check_move(before, after)
    found = connection.execute(_HELD, {"region": region, "image_id": image_id}).first()
    if found is None or found.status != before or held_by not in (None, found.upload_id):
        return False
    changed = {"upload_id": None, **(values or {})}
    if after == QUEUED:
        changed.update(_NO_DATA)
    where = {"in_region": region, "of_image": image_id}
    connection.execute(_CHANGE, {**where, **changed, "status": after, "updated_at": now()})
    counts_before: _Counts = (found.owner, before, found.size)
    counts_after: _Counts = (found.owner, after, changed.get("size", found.size))
    move_usage(connection, region, counts_before, counts_after)
    # An image without a size is in no store yet.
    if found.size is not None and found.size != counts_after[2]:
        _move_stored(connection, region, image_id, counts_before, counts_after)
    return True


_NO_DATA: dict[str, None] = dict.fromkeys(
    ("size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "upload_id")
)


def mark_deleted(connection: Connection, region: str, image_id: str) -> list[Garbage]:
    """Delete the image for everyone; its ID stays in use. Return its data, which is to be removed."""
    moment = now()
    found = connection.execute(_HELD, {"region": region, "image_id": image_id}).first()
    if found is None or not may_become(found.status, DELETED):
        return []
    changed = {"status": DELETED, "deleted_at": moment, "updated_at": moment, "upload_id": None}
    connection.execute(update(images).where(_is(region, image_id)).values(changed))
    move_usage(connection, region, (found.owner, found.status, found.size), (found.owner, DELETED, found.size))
    for table in (image_properties, image_tags, image_members):
        connection.execute(delete(table).where(table.c.region == region, table.c.image_id == image_id))
    staged = discard_staged(connection, region, image_id)
    return [*discard_locations(connection, region, image_id), *staged]


def release_orphans(connection: Connection, regions: Collection[str]) -> int:
    """
    Put images back to queued that an upload holds which is not recorded: nobody can finish it.

    Releases up to schema 0004 recorded none.
    """
    recorded = exists(select(uploads.c.upload_id).where(uploads.c.upload_id == images.c.upload_id))
    columns = (images.c.region, images.c.id, images.c.status, images.c.upload_id)
    orphaned = (select(*columns).where(images.c.region.in_(regions), arriving, ~recorded) for arriving in _ARRIVING)
    found = [row for query in orphaned for row in connection.execute(query)]
    for region, image_id, status, upload_id in sorted(found, key=lambda row: row[:2]):
        change_status(connection, region, image_id, before=status, after=QUEUED, held_by=upload_id)
    return len(found)


def _insert_tags(connection: Connection, region: str, image_id: str, tags: Iterable[str]) -> None:
    rows = [{"region": region, "image_id": image_id, "tag": tag} for tag in tags]
    if rows:
        connection.execute(insert(image_tags), rows)


def _delete_tags(connection: Connection, region: str, image_id: str, tags: Iterable[str]) -> None:
    connection.execute(
        delete(image_tags).where(
            image_tags.c.region == region, image_tags.c.image_id == image_id, image_tags.c.tag.in_(list(tags))
        )
    )


def _insert_properties(
    connection: Connection,
    region: str,
    image_id: str,
    properties: Iterable[tuple[str, str]],
    *,
    first_position: int,
) -> None:
    rows = [
        {"region": region, "image_id": image_id, "name": name, "value": value, "position": position}
        for position, (name, value) in enumerate(properties, first_position)
    ]
    if rows:
        connection.execute(insert(image_properties), rows)


def add_tag(connection: Connection, region: str, image_id: str, tag: str, *, is_new: bool) -> None:
    """Add a tag to the image; unless *is_new*, only its updated_at changes."""
    if is_new:
        _insert_tags(connection, region, image_id, [tag])
    _touch(connection, region, image_id)


def remove_tag(connection: Connection, region: str, image_id: str, tag: str) -> None:
    """Remove *tag* from the image."""
    _delete_tags(connection, region, image_id, [tag])
    _touch(connection, region, image_id)


def _touch(connection: Connection, region: str, image_id: str) -> None:
    connection.execute(update(images).where(_is(region, image_id)).values(updated_at=now()))
