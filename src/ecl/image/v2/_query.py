"""Filters and order of a list of images, from Python values to what the API reads."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from ecl import exceptions

__all__ = ["Exactly", "check_whole_number", "parameters"]

#: Default number of images in one answer: the most that Glance gives by default.
PAGE_SIZE = 1000

# Filters that take "in:" and other operators; a text in them that holds a colon would be read as one.
_WITH_OPERATORS = frozenset({"id", "name", "status", "container_format", "disk_format"})

# Filters that compare times, and the signs for their operators; the longer ones first.
_TIMES = frozenset({"created_at", "updated_at"})
_SIGNS = {">=": "gte", "<=": "lte", "!=": "neq", "==": "eq", ">": "gt", "<": "lt", "=": "eq"}

# Numbers that the service compares by two bounds, NAME_min and NAME_max.
_BOUNDED = frozenset({"size", "virtual_size", "min_ram", "min_disk"})

# Parameters that are given once for each value.
_REPEATED = frozenset({"tag", "sort_key", "sort_dir"})

# What the list has beside filters: page and order.
_NO_FILTERS = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir"})


class Exactly(str):
    """A text to be found as it is, whatever operator it may look like."""

    __slots__ = ()


def parameters(
    limit: int | None, page_size: int | None, filters: Mapping[str, Any], properties: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """
    Return the query of the first page.

    Args:
        limit: Maximum number of images; a page need not be larger.
        page_size: Maximum number of images in one answer.
        filters: As the API names them. True and False, numbers, dates, datetimes. A list of *tag* stands for images
            that have all of them, one of *id*, *name*, *status* or a format for images that have any of its values.
            A time may begin with ``>``, ``>=``, ``<``, ``<=`` or ``!=``; so may, but for the last, a size in bytes and
            *min_ram* and *min_disk*, of which a list stands for a range: ``size=[">=10", "<20"]``. A list of *sort*
            has one key after the other.
        properties: More filters, whatever they are called; *filters* count over them.

    Raises:
        InvalidRequest: A number makes no sense, a value cannot be a filter, or a property is called like what the
            list has for pages and order.
    """
    for name in properties or ():
        if name in _NO_FILTERS:
            raise exceptions.InvalidRequest(
                f"Images cannot be filtered by a property {name!r}: the list has its {name} under that name"
            )
    check_whole_number("limit", limit, 0)
    check_whole_number("page_size", page_size, 1)
    size = page_size or PAGE_SIZE
    query = [("limit", str(size if limit is None else min(size, limit)))]
    for name, value in {**(properties or {}), **filters}.items():
        if value is not None:
            query += _condition(name, value)
    return query


def _condition(name: str, value: object) -> list[tuple[str, str]]:
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
    values: list[object] = list(value) if several else [value]  # type: ignore[call-overload]
    if name in _TIMES:
        if len(values) != 1:
            raise exceptions.InvalidRequest(f"{name} can be compared with one time, not with {len(values)}")
        return [(name, _time(name, values[0]))]
    if name in _BOUNDED and any(isinstance(item, str) and item.strip()[:1] in tuple("<>=") for item in values):
        bounds = [_bound(name, item) for item in values]
        if len(dict(bounds)) < len(bounds):
            raise exceptions.InvalidRequest(f"{name} can have one bound on either side, not {len(bounds)}: {values!r}")
        return bounds
    if several and name == "sort":
        return [(name, ",".join(_text(name, item) for item in values))]
    if not several or name in _REPEATED:
        return [(name, _text(name, item)) for item in values]
    if name not in _WITH_OPERATORS:
        raise exceptions.InvalidRequest(f"{name} can be compared with one value, not with a list")
    return [(name, _any_of(name, values))]


def _time(name: str, value: object) -> str:
    """Return the filter that ``">=2026-01-31"``, a date or a datetime stands for."""
    if not isinstance(value, str):
        return _text(name, value)
    for sign, operator in _SIGNS.items():
        if value.lstrip().startswith(sign):
            return f"{operator}:{value.lstrip().removeprefix(sign).strip()}"
    return value


def _bound(name: str, value: object) -> tuple[str, str]:
    """Return the filter that ``">=10"`` stands for: the API has bounds that include themselves."""
    match = re.fullmatch(r"\s*(<=|>=|==|<|>|=)\s*([0-9]+)\s*", str(value), re.ASCII)
    if match is None:
        raise exceptions.InvalidRequest(f"{name} is compared by a whole number with <, <=, > or >=, not {value!r}")
    sign, number = match[1], int(match[2])
    if sign in ("=", "=="):
        return name, str(number)
    if sign.startswith(">"):
        return f"{name}_min", str(number + (sign == ">"))
    return f"{name}_max", str(number - (sign == "<"))


def _any_of(name: str, values: list[object]) -> str:
    texts = [_text(name, Exactly(item) if isinstance(item, str) else item) for item in values]
    texts = [text.removeprefix("eq:") for text in texts]
    if not texts:
        raise exceptions.InvalidRequest(f"{name} is compared with an empty list, which nothing can match")
    if len(texts) == 1:
        return f"eq:{texts[0]}"
    for text in texts:
        if '"' in text or ("," in text and text.endswith("\\")):
            raise exceptions.InvalidRequest(
                f"{name} {text!r} cannot be in a list, for its quote or backslash: it can only be asked for by itself"
            )
    return "in:" + ",".join(f'"{text}"' if "," in text else text for text in texts)


def check_whole_number(name: str, value: object, least: int) -> None:
    """Raise InvalidRequest for an argument that is neither None nor a whole number of at least *least*."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise exceptions.InvalidRequest(f"{name} must be a whole number of at least {least}, not {value!r}")


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Exactly) and name in _WITH_OPERATORS:
        return f"eq:{value}" if ":" in value else str(value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (str, int, float, uuid.UUID)):
        return str(value)
    raise exceptions.InvalidRequest(f"{name} cannot be filtered by a {type(value).__name__}")
