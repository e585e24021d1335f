"""Keyset paging: the order of a list, and the condition of coming after a marker in that order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, and_, false, or_

from ecl.server.domain.paging import SortKey

__all__ = ["Columns", "Condition", "Span", "after", "ordered", "spans"]

Condition = ColumnElement[bool]


class Columns(Protocol):
    """The columns of a table by their names: ``table.c``, or something that gives them in another form."""

    def __getitem__(self, name: str, /) -> ColumnElement[Any]: ...


def ordered(column: ColumnElement[Any], key: SortKey) -> ColumnElement[Any]:
    """Return *column* in the direction of *key*, null as the lowest value: databases differ in where they sort it."""
    direction = column.desc() if key.descending else column.asc()
    if not _nullable(column):
        return direction
    return direction.nulls_last() if key.descending else direction.nulls_first()


def after(columns: Columns, keys: Sequence[SortKey], marker: object) -> Condition:
    """
    Return the condition that a row comes after *marker*: beyond it at one key, equal at all keys before.

    Args:
        keys: The last one is unique, so the order is total.
        marker: Has an attribute for each key.
    """
    condition = or_(false(), *(and_(*span.conditions) for span in spans(columns, keys, marker)))
    first = columns[keys[0].name]
    if _nullable(first):
        return condition
    # Implied by the rest, but the database can use an index for it.
    value = getattr(marker, keys[0].name)
    bound: Condition = first <= value if keys[0].descending else first >= value
    return and_(bound, condition)


@dataclass(frozen=True, slots=True)
class Span:
    """
    A part of a list that an index holds in one piece.

    Attributes:
        conditions: What its rows have in common.
        order: Of its rows. It says where nulls go only where there can be both nulls and values, because an index that
            sorts them elsewhere would not do then.
    """

    conditions: Sequence[Condition]
    order: Sequence[ColumnElement[Any]]


def spans(columns: Columns, keys: Sequence[SortKey], marker: object | None) -> list[Span]:
    """
    Return the rows after *marker* in parts, which have no row in common; without marker, all rows.

    A database finds the beginning of each part in an index. For the parts joined by OR it reads all rows that equal
    the marker at the first key.
    """
    if marker is None:
        first = columns[keys[0].name]
        parts = [first.is_not(None), first.is_(None)] if _nullable(first) else []
        return [_span(columns, keys, [part], 0) for part in parts] or [_span(columns, keys, [], 0)]
    found: list[Span] = []
    equal: list[Condition] = []
    for number, key in enumerate(keys):
        column, value = columns[key.name], getattr(marker, key.name)
        found += [_span(columns, keys, [*equal, part], number) for part in _beyond(key, column, value)]
        equal.append(column.is_(None) if value is None else column == value)
    return found


def _span(columns: Columns, keys: Sequence[SortKey], conditions: Sequence[Condition], parted: int) -> Span:
    """Return a span whose rows are all null or all not null at each key up to the number *parted*."""
    order = [
        (columns[key.name].desc() if key.descending else columns[key.name].asc())
        if number <= parted
        else ordered(columns[key.name], key)
        for number, key in enumerate(keys)
    ]
    return Span(conditions, order)


def _beyond(key: SortKey, column: ColumnElement[Any], value: Any) -> Iterator[Condition]:
    if value is None:
        if not key.descending:
            yield column.is_not(None)
        return
    yield column < value if key.descending else column > value
    if key.descending and _nullable(column):
        yield column.is_(None)


def _nullable(column: ColumnElement[Any]) -> bool:
    return not (isinstance(column, Column) and not column.nullable)
