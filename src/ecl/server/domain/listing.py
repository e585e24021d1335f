"""A request to list images: its filters, order and page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ecl.server.domain.filters import parse_boolean, parse_integer, parse_text, parse_time
from ecl.server.domain.paging import SortKey, is_descending, parse_limit, sort_name
from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImageLimits

__all__ = ["MAX_PARAMETERS", "ListQuery", "parse_list_query"]

#: Most parameters of one query: each filter is a condition that the database must evaluate.
MAX_PARAMETERS = 200

_SORT_KEYS = (
    "name",
    "status",
    "container_format",
    "disk_format",
    "size",
    "id",
    "created_at",
    "updated_at",
)
_VISIBILITIES = ("public", "private", "shared", "community", "all", "")
_MEMBER_STATUSES = ("accepted", "pending", "rejected", "all")
_TEXTS = frozenset({"name", "id", "status", "container_format", "disk_format"})
_TIMES = frozenset({"created_at", "updated_at"})
_EXACT_TEXTS = frozenset({"owner", "checksum", "os_hash_algo", "os_hash_value"})
_EXACT_INTEGERS = frozenset({"size", "virtual_size", "min_ram", "min_disk"})
_BOUNDS = {name + end: (name, end[1:]) for name in _EXACT_INTEGERS for end in ("_min", "_max")}


@dataclass(slots=True)
class ListQuery:
    """A parsed list request. An image must meet every condition."""

    limit: int
    marker: str | None = None
    #: None: the images that the caller sees by default; "": no image.
    visibility: str | None = None
    member_status: str = "accepted"
    os_hidden: bool = False
    protected: bool | None = None
    #: Column to its allowed values.
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Column, "min" or "max" or "eq", number.
    numbers: list[tuple[str, str, int]] = field(default_factory=list)
    #: Column, operator, seconds since the epoch.
    times: list[tuple[str, str, int]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    #: Custom property to its required value.
    properties: dict[str, str] = field(default_factory=dict)
    sort: list[SortKey] = field(default_factory=list)
    #: True if no image can match: for example a size that is not a number.
    impossible: bool = False


def parse_list_query(parameters: Sequence[tuple[str, str]], limits: ImageLimits) -> ListQuery:
    """
    Return the list request in the decoded query *parameters*.

    Raises:
        BadRequest: A parameter with a bad value, or too many parameters.
    """
    if len(parameters) > MAX_PARAMETERS:
        raise BadRequest(f"A list request may have at most {MAX_PARAMETERS} parameters.")
    query = ListQuery(limit=limits.limit_param_default)
    sorting: dict[str, list[str]] = {"sort": [], "sort_key": [], "sort_dir": []}
    single: dict[str, str] = {}
    for name, value in parameters:
        if "\0" in name or "\0" in value:
            raise BadRequest("A parameter holds a NUL character.")
        if name in sorting:
            sorting[name].append(value)
        elif name == "tag":
            query.tags.append(value.strip())
        else:
            # If any other parameter is repeated, the last one counts.
            single[name] = value
    for name, value in single.items():
        if handler := _HANDLERS.get(name):
            handler(query, value, limits)
        else:
            _add_filter(query, name, value)
    query.sort = _parse_sort(sorting["sort"], sorting["sort_key"], sorting["sort_dir"])
    return query


def _add_filter(query: ListQuery, name: str, value: str) -> None:
    if name in _TEXTS:
        texts = parse_text(name, value)
        # IDs are stored in lower case.
        query.texts[name] = tuple(text.lower() for text in texts) if name == "id" else texts
    elif name in _TIMES:
        query.times.append((name, *parse_time(name, value)))
    elif name in _EXACT_TEXTS:
        query.texts[name] = (value,)
    elif name in _EXACT_INTEGERS:
        try:
            query.numbers.append((name, "eq", parse_integer(name, value)))
        except BadRequest:
            query.impossible = True
    elif name in _BOUNDS:
        column, bound = _BOUNDS[name]
        query.numbers.append((column, bound, parse_integer(name, value)))
    else:
        query.properties[name] = value


def _set_limit(query: ListQuery, value: str, limits: ImageLimits) -> None:
    query.limit = parse_limit(value, limits)


def _set_marker(query: ListQuery, value: str, _limits: ImageLimits) -> None:
    query.marker = value.lower()


def _set_visibility(query: ListQuery, value: str, _limits: ImageLimits) -> None:
    query.visibility = _one_of("visibility", value, _VISIBILITIES)


def _set_member_status(query: ListQuery, value: str, _limits: ImageLimits) -> None:
    query.member_status = _one_of("member_status", value, _MEMBER_STATUSES)


def _set_hidden(query: ListQuery, value: str, _limits: ImageLimits) -> None:
    query.os_hidden = parse_boolean("os_hidden", value, any_case=True)


def _set_protected(query: ListQuery, value: str, _limits: ImageLimits) -> None:
    query.protected = parse_boolean("protected", value)


def _ignore(_query: ListQuery, _value: str, _limits: ImageLimits) -> None:
    """Accept a parameter that has no effect."""


def _refuse_changes_since(_query: ListQuery, _value: str, _limits: ImageLimits) -> None:
    raise BadRequest("The parameter 'changes-since' is not supported; use updated_at=gte:TIME.")


_HANDLERS: dict[str, Callable[[ListQuery, str, ImageLimits], None]] = {
    "limit": _set_limit,
    "marker": _set_marker,
    "visibility": _set_visibility,
    "member_status": _set_member_status,
    "os_hidden": _set_hidden,
    "protected": _set_protected,
    "deleted": _ignore,
    "changes-since": _refuse_changes_since,
}


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise BadRequest(f"The parameter '{name}' must be one of: {', '.join(filter(None, allowed))}.")
    return value


def _parse_sort(combined: list[str], keys: list[str], directions: list[str]) -> list[SortKey]:
    """Return the order, made total: created_at and id follow the client's keys."""
    if combined and (keys or directions):
        raise BadRequest("Use either 'sort', or 'sort_key' and 'sort_dir'.")
    if len(combined) > 1:
        raise BadRequest("Give 'sort' once, with commas between its keys.")
    if combined:
        order = [_combined_key(part) for part in combined[0].split(",")]
        tie_break = len(order) > 1 or order[0].descending
    else:
        order, tie_break = _classic_order(keys, directions)
    chosen = {key.name for key in order}
    order.extend(SortKey(name, tie_break) for name in ("created_at", "id") if name not in chosen)
    return order


def _combined_key(part: str) -> SortKey:
    name, _, direction = part.strip().partition(":")
    return SortKey(sort_name(name, _SORT_KEYS), is_descending(direction) if direction else True)


def _classic_order(keys: list[str], directions: list[str]) -> tuple[list[SortKey], bool]:
    names = [sort_name(name, _SORT_KEYS) for name in keys] or ["created_at"]
    descending = [is_descending(direction) for direction in directions] or [True]
    if len(descending) == 1:
        return [SortKey(name, descending[0]) for name in names], descending[0]
    if len(descending) != len(names):
        raise BadRequest("Give one 'sort_dir' for all keys, or one for each 'sort_key'.")
    return [SortKey(name, down) for name, down in zip(names, descending, strict=True)], True
