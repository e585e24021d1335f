"""Keyset paging: the order of a list, and the condition of coming after a marker in that order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, false, or_

from ecl.server.domain.paging import SortKey

__all__ = ["Condition", "after", "ordered"]

Condition = ColumnElement[bool]


def ordered(column: ColumnElement[Any], key: SortKey) -> ColumnElement[Any]:
    """Return *column* in the direction of *key*, null as the lowest value: databases differ in where they sort it."""
    direction = column.desc() if key.descending else column.asc()
    if isinstance(column, Column) and not column.nullable:
        return direction
    return direction.nulls_last() if key.descending else direction.nulls_first()


def after(table: Table, keys: Sequence[SortKey], marker: object) -> Condition:
    """
    Return the condition that a row of *table* comes after *marker*: beyond it at one key, equal at all keys before.

    Args:
        keys: The last one is unique, so the order is total.
        marker: Has an attribute for each key.
    """
    alternatives: list[Condition] = []
    equal: list[Condition] = []
    for key in keys:
        column, value = table.c[key.name], getattr(marker, key.name)
        alternatives.append(and_(*equal, _beyond(key, column, value)))
        equal.append(column.is_(None) if value is None else column == value)
    condition = or_(*alternatives)
    first = table.c[keys[0].name]
    if first.nullable:
        return condition
    # Implied by the rest, but the database can use an index for it.
    value = getattr(marker, keys[0].name)
    bound: Condition = first <= value if keys[0].descending else first >= value
    return and_(bound, condition)


def _beyond(key: SortKey, column: Column[Any], value: Any) -> Condition:
    if value is None:
        return false() if key.descending else column.is_not(None)
    higher: Condition = column > value
    lower: Condition = column < value
    if not key.descending:
        return higher
    return or_(lower, column.is_(None)) if column.nullable else lower
