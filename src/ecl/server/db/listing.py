"""List images: one page of those that a caller sees, in a total order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, not_, or_, select, true

from ecl.server.clock import MICROSECONDS
from ecl.server.db.images import IMAGE_COLUMNS, image_from_row
from ecl.server.db.locations import KEY
from ecl.server.db.paging import Condition, after, ordered
from ecl.server.db.schema import image_locations, image_members, image_properties, image_tags, images
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import Image
from ecl.server.domain.listing import ListQuery
from ecl.server.domain.paging import SortKey
from ecl.server.domain.status import INVISIBLE

__all__ = ["list_images"]


def list_images(
    connection: Connection, region: str, caller: Caller, query: ListQuery, marker: Image | None
) -> list[Image]:
    """
    Return at most ``query.limit`` images, the first ones after *marker* in the order of *query*.

    Memory depends on the page only.
    """
    if query.limit == 0 or query.impossible or query.visibility == "":
        return []
    conditions = [images.c.region == region, images.c.status.not_in(INVISIBLE)]
    conditions.append(images.c.os_hidden.is_(query.os_hidden))
    conditions.extend(_filters(query))
    conditions.append(_seen_by(region, caller, query))
    if marker is not None:
        conditions.append(after(images, query.sort, marker))
    # Few images have a given name or ID: find and sort those, instead of walking the index of the list's order.
    walk = not query.texts.keys() & {"name", "id"}
    order = [_order(key, walk_index=walk) for key in query.sort]
    statement = select(*IMAGE_COLUMNS).where(*conditions).order_by(*order).limit(query.limit)
    page = [image_from_row(row) for row in connection.execute(statement)]
    _add_parts(connection, region, page)
    return page


def _add_parts(connection: Connection, region: str, page: Sequence[Image]) -> None:
    """Add tags, properties and stores to the images of *page*."""
    if not page:
        return
    by_id = {image.id: image for image in page}
    tags = (
        select(image_tags.c.image_id, image_tags.c.tag)
        .where(image_tags.c.region == region, image_tags.c.image_id.in_(list(by_id)))
        .order_by(image_tags.c.image_id, image_tags.c.tag)
    )
    for image_id, tag in connection.execute(tags):
        by_id[image_id].tags.append(tag)
    properties = (
        select(image_properties.c.image_id, image_properties.c.name, image_properties.c.value)
        .where(image_properties.c.region == region, image_properties.c.image_id.in_(list(by_id)))
        .order_by(image_properties.c.image_id, image_properties.c.position)
    )
    for image_id, name, value in connection.execute(properties):
        by_id[image_id].properties[name] = value
    stores = (
        select(image_locations.c.image_id, image_locations.c.store, KEY)
        .where(image_locations.c.region == region, image_locations.c.image_id.in_(list(by_id)))
        .order_by(image_locations.c.image_id, image_locations.c.created_at, image_locations.c.store)
    )
    for image_id, store, key in connection.execute(stores):
        by_id[image_id].stores[store] = key


# --- visibility --------------------------------------------------------------------------------------------


def _seen_by(region: str, caller: Caller, query: ListQuery) -> Condition:
    visibility = images.c.visibility
    own: Condition = images.c.owner == caller.project_id if caller.project_id is not None else false()
    foreign_community = and_(visibility == "community", or_(not_(own), images.c.owner.is_(None)))
    visibility_filter = query.visibility
    if caller.is_admin:
        if visibility_filter is None:
            return not_(foreign_community)
        return true() if visibility_filter == "all" else visibility == visibility_filter
    if visibility_filter in ("public", "community"):
        return visibility == visibility_filter
    if visibility_filter == "private":
        return and_(visibility == visibility_filter, own)
    shared_to = _shared_to(region, caller, query.member_status)
    if visibility_filter == "shared":
        return and_(visibility == visibility_filter, or_(own, shared_to))
    visible = [own, visibility == "public", and_(visibility == "shared", shared_to)]
    if visibility_filter == "all":
        visible.append(visibility == "community")
    return or_(*visible)


def _shared_to(region: str, caller: Caller, member_status: str) -> Condition:
    if caller.project_id is None:
        return false()
    members = image_members.c
    conditions = [members.region == region, members.member_id == caller.project_id]
    if member_status != "all":
        conditions.append(members.status == member_status)
    return images.c.id.in_(select(members.image_id).where(*conditions))


# --- filters --------------------------------------------------------------------------------------------------


def _filters(query: ListQuery) -> list[Condition]:
    conditions: list[Condition] = []
    for name, texts in query.texts.items():
        column = images.c[name]
        conditions.append(column == texts[0] if len(texts) == 1 else column.in_(texts))
    for name, bound, number in query.numbers:
        column = images.c[name]
        compare = {"min": column >= number, "max": column <= number, "eq": column == number}
        conditions.append(compare[bound])
    conditions.extend(_time_condition(name, operator, second) for name, operator, second in query.times)
    if query.protected is not None:
        conditions.append(images.c.protected.is_(query.protected))
    conditions.extend(_has_tag(tag) for tag in query.tags)
    conditions.extend(_has_property(name, value) for name, value in query.properties.items())
    return conditions


def _time_condition(name: str, operator: str, second: int) -> Condition:
    """Compare at the precision that clients see: whole seconds."""
    column = images.c[name]
    begin, end = second * MICROSECONDS, (second + 1) * MICROSECONDS
    conditions: dict[str, Condition] = {
        "eq": and_(column >= begin, column < end),
        "neq": or_(column < begin, column >= end),
        "gt": column >= end,
        "gte": column >= begin,
        "lt": column < begin,
        "lte": column < end,
    }
    return conditions[operator]


def _has_tag(tag: str) -> Condition:
    tags = image_tags.c
    return exists().where(tags.region == images.c.region, tags.image_id == images.c.id, tags.tag == tag)


def _has_property(name: str, value: str) -> Condition:
    properties = image_properties.c
    return exists().where(
        properties.region == images.c.region,
        properties.image_id == images.c.id,
        properties.name == name,
        properties.value == value,
    )


# --- order ----------------------------------------------------------------------------------------------------


def _order(key: SortKey, *, walk_index: bool) -> ColumnElement[Any]:
    if key.name == "created_at" and not walk_index:
        # No index covers a sum, so the database cannot be tempted to follow one.
        total = images.c.created_at + 0
        return total.desc() if key.descending else total.asc()
    return ordered(images.c[key.name], key)
