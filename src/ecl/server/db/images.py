"""Queries on one image: its row, its tags, its properties."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, select, update

from ecl.server.clock import now
from ecl.server.db.garbage import Garbage
from ecl.server.db.locations import addresses_of, discard_locations, locations_of
from ecl.server.db.schema import image_members, image_properties, image_tags, images, uploads
from ecl.server.db.staging import discard_staged
from ecl.server.domain.image import Image
from ecl.server.domain.location import ELSEWHERE
from ecl.server.domain.status import DELETED, INVISIBLE, QUEUED, SAVING, UPLOADING, check_move, statuses_before

__all__ = [
    "IMAGE_COLUMNS",
    "add_tag",
    "change_status",
    "fetch_image",
    "id_is_taken",
    "image_from_row",
    "insert_image",
    "mark_deleted",
    "release_orphans",
    "remove_tag",
    "update_image",
]

#: The columns of `Image` in the order of its fields; the fields after them are in other tables.
IMAGE_COLUMNS = tuple(images.c[field.name] for field in fields(Image) if field.name in images.c)
_NAMES = tuple(column.name for column in IMAGE_COLUMNS)

# Built once, because each request needs them and building a query takes many times longer than running it.
_IMAGE = select(*IMAGE_COLUMNS).where(
    images.c.region == bindparam("region"),
    images.c.id == bindparam("image_id"),
    and_(*(images.c.status != status for status in sorted(INVISIBLE))),
)
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
_INSERT = insert(images)
#: Images that an upload holds: to a store, or to the staging area.
_ARRIVING = (images.c.status == SAVING) | ((images.c.status == UPLOADING) & images.c.upload_id.is_not(None))
# The names of the values are those of the columns to set, so parameters of conditions need other names.
_FROM_STATUS = update(images).where(
    images.c.region == bindparam("in_region"),
    images.c.id == bindparam("of_image"),
    images.c.status == bindparam("before"),
)
_FROM_STATUS_HELD = _FROM_STATUS.where(images.c.upload_id == bindparam("held_by"))


def _is(region: str, image_id: str) -> Any:  # Any: SQLAlchemy's `&` of two conditions
    return (images.c.region == region) & (images.c.id == image_id)


def image_from_row(row: Sequence[Any]) -> Image:
    """Return the image of a *row* of `IMAGE_COLUMNS`, without tags and properties."""
    return Image(*row)


def id_is_taken(connection: Connection, region: str, image_id: str) -> bool:
    """Return True if an image of *region*, even a deleted one, has the ID."""
    return connection.execute(select(images.c.id).where(_is(region, image_id))).first() is not None


def fetch_image(connection: Connection, region: str, image_id: str) -> Image | None:
    """Return the image with its tags, properties and stores; None if it does not exist or is deleted."""
    key = {"region": region, "image_id": image_id}
    row = connection.execute(_IMAGE, key).first()
    if row is None:
        return None
    image = image_from_row(row)
    image.tags = [row[0] for row in connection.execute(_TAGS, key)]
    image.properties = {row[0]: row[1] for row in connection.execute(_PROPERTIES, key)}
    image.stores = locations_of(connection, region, image_id)
    if ELSEWHERE in image.stores:
        found = addresses_of(connection, region, [image_id])
        image.addresses = {store: (url, details) for _, store, url, details in found}
    return image


def insert_image(connection: Connection, region: str, image: Image) -> None:
    """Add *image* with its tags and properties."""
    connection.execute(_INSERT, {"region": region, **{name: getattr(image, name) for name in _NAMES}})
    _insert_tags(connection, region, image.id, image.tags)
    _insert_properties(connection, region, image.id, image.properties.items(), first_position=0)


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
    found = {"in_region": region, "of_image": image_id, "before": before}
    statement = _FROM_STATUS
    if held_by is not None:
        found["held_by"] = held_by
        statement = _FROM_STATUS_HELD
    changed = {"upload_id": None, **(values or {})}
    if after == QUEUED:
        changed.update(_NO_DATA)
    result = connection.execute(statement, {**found, **changed, "status": after, "updated_at": now()})
    return result.rowcount == 1


_NO_DATA: dict[str, None] = dict.fromkeys(
    ("size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "upload_id")
)


def mark_deleted(connection: Connection, region: str, image_id: str) -> list[Garbage]:
    """Delete the image for everyone; its ID stays in use. Return its data, which is to be removed."""
    moment = now()
    connection.execute(
        update(images)
        .where(_is(region, image_id), images.c.status.in_(statuses_before(DELETED)))
        .values(status=DELETED, deleted_at=moment, updated_at=moment, upload_id=None)
    )
    for table in (image_properties, image_tags, image_members):
        connection.execute(delete(table).where(table.c.region == region, table.c.image_id == image_id))
    staged = discard_staged(connection, region, image_id)
    return [*discard_locations(connection, region, image_id), *staged]


def release_orphans(connection: Connection, regions: Collection[str]) -> int:
    """
    Put images back to queued that an upload holds which is not recorded: nobody can finish it.

    Releases up to schema 0004 recorded none.
    """
    for status in (SAVING, UPLOADING):
        check_move(status, QUEUED)
    recorded = exists(select(uploads.c.upload_id).where(uploads.c.upload_id == images.c.upload_id))
    orphaned = update(images).where(images.c.region.in_(regions), _ARRIVING, ~recorded)
    return connection.execute(orphaned.values(status=QUEUED, updated_at=now(), **_NO_DATA)).rowcount


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
