"""What a list of images asks of each image: that it meets the filters, and that the caller sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal_column, not_, or_, select, true

from ecl.server.clock import MICROSECONDS
from ecl.server.db.paging import Columns, Condition
from ecl.server.db.schema import PREFIX, image_members, image_properties, image_tags, images, value_prefix
from ecl.server.domain.caller import Caller
from ecl.server.domain.listing import ListQuery

__all__ = ["Way", "column_filters", "filters", "images_with_property", "images_with_tag", "ways"]

# --- filters --------------------------------------------------------------------------------------------------


def filters(columns: Columns, query: ListQuery) -> list[Condition]:
    """Return every filter of *query* as a condition on *columns* of an image."""
    conditions = [condition for _, condition in column_filters(columns, query)]
    if query.protected is not None:
        conditions.append(columns["protected"].is_(query.protected))
    conditions.extend(_has_tag(tag) for tag in query.tags)
    conditions.extend(_has_property(name, value) for name, value in query.properties.items())
    return conditions


def column_filters(columns: Columns, query: ListQuery) -> Iterator[tuple[str, Condition]]:
    """Yield the filters on texts, numbers and times, each with the name of its column."""
    for name, texts in query.texts.items():
        column = columns[name]
        yield name, column == texts[0] if len(texts) == 1 else column.in_(texts)
    for name, bound, number in query.numbers:
        column = columns[name]
        compare = {"min": column >= number, "max": column <= number, "eq": column == number}
        yield name, compare[bound]
    for name, operator, second in query.times:
        yield name, _time_condition(columns, name, operator, second)


def _time_condition(columns: Columns, name: str, operator: str, second: int) -> Condition:
    """Compare at the precision that clients see: whole seconds."""
    column = columns[name]
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


def images_with_tag(region: str, tag: str) -> Select[Any]:
    """Select the IDs of the images with a tag."""
    tags = image_tags.c
    return select(tags.image_id).where(tags.region == region, tags.tag == tag)


def images_with_property(region: str, name: str, value: str) -> Select[Any]:
    """Select the IDs of the images with a property."""
    properties = image_properties.c
    # The index holds the beginning of each value, which says all about a short one.
    query = select(properties.image_id).where(
        properties.region == region, properties.name == name, value_prefix == value[:PREFIX]
    )
    if len(value) < PREFIX:
        return query
    # Not plainly the column: SQLite would put the value in its place everywhere, in the prefix, too.
    return query.where(func.coalesce(properties.value, properties.value) == value)


# --- visibility -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """
    A reason why the caller sees an image. It may see one for several.

    Attributes:
        condition: What the images have in common.
        column: All of them have the same value in this column: ``owner`` or ``visibility``.
        ids: Selects all these images and perhaps others; None: no table but that of the images lists them.
    """

    condition: Callable[[Columns], Condition]
    column: str | None = None
    ids: Select[Any] | None = None


def ways(region: str, caller: Caller, query: ListQuery) -> list[Way]:
    """Return all ways in which *caller* sees images that *query* asks for."""
    visibility, project = query.visibility, caller.project_id
    if caller.is_admin:
        if visibility is None:
            return [Way(lambda columns: _not_foreign_community(columns, project))]
        return [Way(lambda _columns: true())] if visibility == "all" else [_with(visibility)]
    if visibility in ("public", "community"):
        return [_with(visibility)]
    found = []
    if project is not None:
        found.append(_own(project, visibility if visibility in ("private", "shared") else None))
        if visibility != "private":
            found.append(_shared(region, project, query.member_status))
    if visibility in (None, "all"):
        found.append(_with("public"))
    if visibility == "all":
        found.append(_with("community"))
    return found


def _not_foreign_community(columns: Columns, project: str | None) -> Condition:
    is_community = columns["visibility"] == "community"
    return not_(is_community) if project is None else or_(not_(is_community), columns["owner"] == project)


def _with(visibility: str) -> Way:
    return Way(lambda columns: columns["visibility"] == visibility, "visibility")


def _own(project: str, visibility: str | None) -> Way:
    def condition(columns: Columns) -> Condition:
        is_own: Condition = columns["owner"] == project
        return is_own if visibility is None else and_(is_own, columns["visibility"] == visibility)

    return Way(condition, "owner")


def _shared(region: str, project: str, status: str) -> Way:
    members = image_members.c
    conditions = [members.region == region, members.member_id == project]
    if status != "all":
        conditions.append(members.status == status)
    is_member = exists(literal_column("1")).where(*conditions, members.image_id == images.c.id)
    return Way(
        lambda columns: and_(columns["visibility"] == "shared", is_member),
        ids=select(members.image_id).where(*conditions),
    )
