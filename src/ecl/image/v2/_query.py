"""Filters and order of a list of images, from Python values to what the API reads."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from ecl import exceptions

__all__ = ["Exactly", "parameters"]

#: Images in one answer when nothing is said: the most that Glance gives by default.
PAGE_SIZE = 1000

# Filters that take "in:" and other operators; a text in them that holds a colon would be read as one.
_WITH_OPERATORS = frozenset({"id", "name", "status", "container_format", "disk_format"})


class Exactly(str):
    """A text to be found as it is, whatever operator it may look like."""

    __slots__ = ()


def parameters(limit: int | None, page_size: int | None, filters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """
    Return the query of the first page.

    Args:
        limit: Most images in all; a page need not be larger.
        page_size: Most images in one answer.
        filters: As the API names them. True and False, numbers, datetimes; a list of *tag* stands for images that
            have all of them, any other list for images that have one of its values.

    Raises:
        InvalidRequest: A number makes no sense, or a value cannot be a filter.
    """
    _check_whole("limit", limit, 0)
    _check_whole("page_size", page_size, 1)
    size = page_size or PAGE_SIZE
    query = [("limit", str(size if limit is None else min(size, limit)))]
    for name, value in filters.items():
        if value is None:
            continue
        if name in ("tag", "sort_key", "sort_dir") and not isinstance(value, str):
            query += [(name, _text(name, each)) for each in value]
        elif isinstance(value, Iterable) and not isinstance(value, str):
            query.append((name, "in:" + ",".join(_quoted(_text(name, each)) for each in value)))
        else:
            query.append((name, _text(name, value)))
    return query


def _check_whole(name: str, value: object, least: int) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise exceptions.InvalidRequest(f"{name} must be a whole number of at least {least}, not {value!r}")


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Exactly) and name in _WITH_OPERATORS:
        return f"eq:{value}" if ":" in value else str(value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, (str, int, float)):
        return str(value)
    raise exceptions.InvalidRequest(f"{name} cannot be filtered by a {type(value).__name__}")


def _quoted(value: str) -> str:
    """Quote one value of ``in:`` if a comma or a quote in it would be read as more than one."""
    return '"' + value.replace('"', '\\"') + '"' if any(each in value for each in ',"') else value
