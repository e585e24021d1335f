"""The syntax of filter values: ``in:a,"b,c"``, ``gte:2026-01-31``, integers, true and false."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ecl.server.clock import MICROSECONDS
from ecl.server.errors import BadRequest

__all__ = ["MAX_IN_VALUES", "parse_boolean", "parse_integer", "parse_text", "parse_time"]

#: Most values in one ``in:`` list.
MAX_IN_VALUES = 1000
#: The largest number that the database holds.
_MAX_INTEGER = (1 << 63) - 1

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"[0-9]{4}(-[0-9]{2})?", re.ASCII)
# A backslash escapes a quote and stays part of the value, as in Glance.
_IN_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"(?:,|$)|((?:\\"|[^",])*)(?:,|$)', re.DOTALL)
_TIME_OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte")


def parse_integer(name: str, value: str) -> int:
    """Return the integer in *value*, the parameter *name*. Raises BadRequest."""
    if not _INTEGER.fullmatch(value) or len(value) > 20:
        raise BadRequest(f"The parameter '{name}' must be a whole number.")
    number = int(value)
    if not -_MAX_INTEGER - 1 <= number <= _MAX_INTEGER:
        raise BadRequest(f"The parameter '{name}' is out of range.")
    return number


def parse_boolean(name: str, value: str, *, any_case: bool = False) -> bool:
    """Return the boolean in *value*, the parameter *name*. Raises BadRequest."""
    word = value.lower() if any_case else value
    if word not in ("true", "false"):
        raise BadRequest(f"The parameter '{name}' must be true or false.")
    return word == "true"


def parse_text(name: str, value: str) -> tuple[str, ...]:
    """
    Return the texts that match: one for ``x`` and ``eq:x``, several for ``in:x,y``.

    Raises:
        BadRequest: An unknown operator before the colon, a misplaced quote, or too many values.
    """
    operator, colon, rest = value.partition(":")
    if not colon:
        return (value,)
    if operator == "eq":
        return (rest,)
    if operator != "in":
        raise BadRequest(
            f"The filter '{name}' knows the operators eq: and in:, not '{operator[:40]}:'."
            " Put eq: before a value that has a colon."
        )
    return _split_quoted(name, rest)


def _split_quoted(name: str, text: str) -> tuple[str, ...]:
    values: list[str] = []
    position = 0
    while position <= len(text):
        match = _IN_VALUE.match(text, position)
        if match is None:
            raise BadRequest(f"A double quote in the filter '{name}' is in the wrong place.")
        values.append(match[1] if match[1] is not None else match[2])
        if len(values) > MAX_IN_VALUES:
            raise BadRequest(f"The filter '{name}' has more than {MAX_IN_VALUES} values.")
        if match.end() == len(text) and not match[0].endswith(","):
            break
        position = match.end()
    return tuple(values)


def parse_time(name: str, value: str) -> tuple[str, int]:
    """
    Return the operator and the time, in seconds since the epoch, of ``gt:2026-01-31T12:00:00Z``.

    The operator defaults to ``eq``, the offset to UTC, the time of day to midnight, the day to the first of its month
    or year.

    Raises:
        BadRequest: The operator is unknown, or the rest is not an ISO 8601 time.
    """
    operator, colon, rest = value.partition(":")
    if not colon or operator not in _TIME_OPERATORS:
        # The colon is part of the time, or what comes before it fails to parse below.
        operator, rest = "eq", value
    if _YEAR_OR_MONTH.fullmatch(rest):
        rest += "-01-01"[3 * rest.count("-") :]
    try:
        if "W" in rest:
            raise ValueError("Python reads a week, Glance does not")
        moment = datetime.fromisoformat(rest)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return operator, int(moment.timestamp() * MICROSECONDS) // MICROSECONDS
    except (ValueError, OverflowError) as exc:
        known = ", ".join(_TIME_OPERATORS)
        raise BadRequest(
            f"The filter '{name}' takes an ISO 8601 time, optionally after one of these operators and a colon: {known}."
        ) from exc
