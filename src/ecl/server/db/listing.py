"""
List images: one page of those that a caller sees, in a total order.

A database that has to choose how to find a page among a million images often chooses badly: the best way depends on how
many images have a tag, or belong to the caller. So this module counts, up to a limit, and then leaves no choice:

- If few images meet one of the filters, it gathers these and sorts them.
- Else, for each way in which the caller sees images: if few are seen in this way, it gathers and sorts these; otherwise
  it walks an index in the order of the list until a page is full.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, or_, select, union

from ecl.server.db.images import IMAGE_COLUMNS, PARTS, add_addresses, add_parts, image_from_row
from ecl.server.db.listing_conditions import (
    Way,
    column_filters,
    filters,
    images_with_property,
    images_with_tag,
    ways,
)
from ecl.server.db.locations import KEY
from ecl.server.db.paging import Columns, Condition, after, ordered, spans
from ecl.server.db.schema import image_locations, image_properties, image_tags, images, live
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import Image
from ecl.server.domain.listing import ListQuery

__all__ = ["FEW", "list_images"]

#: So many images are gathered and sorted rather than looked for in the order of the list. Among a million images, of
#: which a page shows 25, both take the same time at the square root of 25 million.
FEW = 5000

#: PostgreSQL compiles, starts processes and reads whole indexes for what it takes for large queries; a page is small.
#: And it has to know the values: those of a prepared statement may be as rare or as common as on average.
_PLANNER = """\
SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_bitmapscan = off;
SET LOCAL plan_cache_mode = force_custom_plan"""
#: Columns that an index sorts images by, within those that are hidden or not.
_SORTED = frozenset({"created_at", "updated_at", "name", "size", "status"})
#: Columns by whose values an index finds the images of a filter.
_INDEXED = _SORTED | {"owner", "checksum", "os_hash_value"}
_NAMES = frozenset(images.c.keys())


def list_images(
    connection: Connection, region: str, caller: Caller, query: ListQuery, marker: Image | None, *, few: int = FEW
) -> list[Image]:
    """
    Return at most ``query.limit`` images, the first ones after *marker* in the order of *query*.

    Memory depends on the page only.

    Args:
        few: Images that may be gathered and sorted.
    """
    if query.limit == 0 or query.impossible or query.visibility == "":
        return []
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_PLANNER)
    selects = list(_Listing(connection, region, caller, query, marker, few).selects())
    if not selects:
        return []
    statement: Any = selects[0]  # Any: a select, or a union of several
    if len(selects) > 1:
        # Not "union all": an image may be seen in two ways.
        found = union(*(select(part.subquery()) for part in selects)).subquery()
        order = [ordered(found.c[key.name], key) for key in query.sort]
        statement = select(found).order_by(*order).limit(query.limit)
    page = [image_from_row(row) for row in connection.execute(statement)]
    _add_parts(connection, region, page)
    add_addresses(connection, region, page)
    return page


def _add_parts(connection: Connection, region: str, page: Sequence[Image]) -> None:
    """Add tags, properties and stores to the images of *page*."""
    if not page:
        return
    by_id = {image.id: image for image in page}
    if connection.dialect.name == "postgresql":
        parts = select(images.c.id, *PARTS).where(images.c.region == region, images.c.id.in_(list(by_id)))
        for row in connection.execute(parts):
            add_parts(by_id[row[0]], *row[1:])
        return
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


# --- where the images of a page are found ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    """
    Images that an index finds together.

    Attributes:
        columns: Of the images, which this index begins with.
        ids: Selects the IDs from another table; None: the conditions on *columns* find the images.
        keys: Selects one row for each image, to count them.
    """

    columns: frozenset[str]
    ids: Select[Any] | None
    keys: Select[Any]


class _Listing:
    """A request to list images, on its way to queries: `selects` gives one or several whose rows are joined."""

    def __init__(
        self, connection: Connection, region: str, caller: Caller, query: ListQuery, marker: Image | None, few: int
    ) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._region = region
        self._query = query
        self._marker = marker
        self._few = few
        self._ways = ways(region, caller, query)

    def selects(self) -> Iterator[Select[Any]]:
        """Yield queries that together find the page; each has its rows in order, and at most a page of them."""
        rarest = self._rarest()
        if rarest is not None:
            if self._ways and rarest[0]:
                yield self._gather(self._ways, rarest[1])
            return
        for way in self._ways:
            source = self._source_of(way)
            count = None if source is None else self._count(source)
            if source is not None and count is not None:
                if count:
                    yield self._gather([way], source)
            else:
                yield from self._walk(way)

    # Sources

    def _rarest(self) -> tuple[int, _Source] | None:
        """Return the number and the source of the images that meet one filter, the smallest; None if none is small."""
        if ids := self._query.texts.get("id"):
            # To count these, SQLite would read another index, a whole one.
            return len(ids), self._indexed(frozenset({"id"}))
        smallest: tuple[int, _Source] | None = None
        for source in self._sources():
            count = self._count(source)
            if count is not None and (smallest is None or count < smallest[0]):
                smallest = count, source
        return smallest

    def _sources(self) -> Iterator[_Source]:
        query = self._query
        for tag in dict.fromkeys(query.tags):
            yield self._listed(images_with_tag(self._region, tag))
        for name, value in query.properties.items():
            yield self._listed(images_with_property(self._region, name, value))
        filtered = {name for name, _ in column_filters(images.c, query)}
        for name in sorted(filtered & _INDEXED):
            yield self._indexed(frozenset({name}))

    def _source_of(self, way: Way) -> _Source | None:
        """Return where the images of *way* are to be gathered if they are few; None to walk in any case."""
        if way.ids is not None:
            return self._listed(way.ids)
        if way.column is None or self._query.sort[0].name == "created_at":
            # There is an index with just these images in this order.
            return None
        return self._indexed(frozenset({way.column}), way.condition(images.c))

    def _listed(self, ids: Select[Any]) -> _Source:
        return _Source(frozenset({"id"}), ids, ids)

    def _indexed(self, columns: frozenset[str], *more: Condition) -> _Source:
        of_columns = [condition for name, condition in column_filters(images.c, self._query) if name in columns]
        keys: Select[Any] = select(literal_column("1")).where(*self._common(images.c), *of_columns, *more)
        indexed = columns if "id" in columns else columns | {"os_hidden"}
        return _Source(indexed, None, keys)

    def _count(self, source: _Source) -> int | None:
        """Return how many images *source* has; None if they are more than a few."""
        keys = source.keys.limit(self._few + 1).subquery()
        count = self._connection.execute(select(func.count()).select_from(keys)).scalar_one()
        return count if count <= self._few else None

    # Queries

    def _gather(self, seen: Sequence[Way], source: _Source) -> Select[Any]:
        """Find all images of *source*, keep those that are asked for and seen, and sort them."""
        # PostgreSQL has statistics, which it could not use for an expression, and finds a source as small as this.
        columns = _Columns(source.columns) if self._is_sqlite else images.c
        conditions = [*self._common(columns), *filters(columns, self._query)]
        conditions.append(or_(*(way.condition(columns) for way in seen)))
        if source.ids is not None:
            conditions.append(images.c.id.in_(source.ids))
        if self._marker is not None:
            conditions.append(after(_Columns(()), self._query.sort, self._marker))
        order = [ordered(_hidden(key.name), key) for key in self._query.sort]
        return self._select(conditions, order)

    def _walk(self, way: Way) -> Iterator[Select[Any]]:
        """Go through an index in the order of the list."""
        walked = self._walked(way)
        columns = _Columns(walked if self._is_sqlite else walked | (_NAMES - {"owner", "visibility"}))
        conditions = [*self._common(columns), *filters(columns, self._query), way.condition(columns)]
        for span in spans(columns, self._query.sort, self._marker):
            yield self._select([*conditions, *span.conditions], span.order)

    def _walked(self, way: Way) -> frozenset[str]:
        """Return the columns of the index to walk."""
        sort = self._query.sort
        keys = {key.name for key in sort}
        first = sort[0].name
        if first == "created_at":
            equal = {name for name, texts in self._query.texts.items() if len(texts) == 1}
            if way.column is not None:
                equal.add(way.column)
            best = next((name for name in ("owner", "name", "visibility", "status") if name in equal), None)
            return frozenset({"os_hidden", *keys, *([best] if best else [])})
        if first in _SORTED:
            return frozenset({"os_hidden", *keys})
        if first == "id":
            return frozenset({"id"})
        # No index has this order: sort all images that are seen in this way.
        return frozenset({"os_hidden"} if way.column is None else {"os_hidden", way.column})

    def _common(self, columns: Columns) -> list[Condition]:
        return [images.c.region == self._region, live, columns["os_hidden"].is_(self._query.os_hidden)]

    def _select(self, conditions: Sequence[Condition], order: Sequence[ColumnElement[Any]]) -> Select[Any]:
        return select(*IMAGE_COLUMNS).where(*conditions).order_by(*order).limit(self._query.limit)


class _Columns:
    """The columns of the images, in a form in which a database can follow no index but one of those in *indexed*."""

    def __init__(self, indexed: Collection[str]) -> None:
        self._indexed = indexed

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return images.c[name] if name in self._indexed else _hidden(name)


def _hidden(name: str) -> ColumnElement[Any]:
    """Return the values of a column as an expression that no index has."""
    column = images.c[name]
    return func.coalesce(column, column, type_=column.type)
