"""Lists in pages: the limit, the order, and the links from one page to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ecl.server.domain.filters import parse_integer
from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImageLimits

__all__ = ["SortKey", "is_descending", "page_links", "parse_limit", "parse_order", "sort_name"]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column to sort by; null is the lowest value."""

    name: str
    descending: bool


def parse_limit(value: str | None, limits: ImageLimits) -> int:
    """Return how many items a page has. *value* is the parameter ``limit``, None if it is absent. Raises BadRequest."""
    if value is None:
        return limits.limit_param_default
    limit = parse_integer("limit", value)
    if limit < 0:
        raise BadRequest("The parameter 'limit' must not be negative.")
    return min(limit, limits.api_limit_max)


def parse_order(parameters: Mapping[str, str], known: Sequence[str]) -> list[SortKey]:
    """Return the order that ``sort_key`` and ``sort_dir`` ask for, made total. Raises BadRequest."""
    name = sort_name(parameters.get("sort_key", "created_at"), known)
    descending = is_descending(parameters.get("sort_dir", "desc"))
    return [SortKey(key, descending) for key in dict.fromkeys((name, "created_at", "id"))]


def sort_name(name: str, known: Sequence[str]) -> str:
    """Return *name* if it is one of the *known* columns. Raises BadRequest."""
    if name not in known:
        raise BadRequest(f"Cannot sort by '{name[:40]}', only by: {', '.join(known)}.")
    return name


def is_descending(direction: str) -> bool:
    """Return True for ``desc``, False for ``asc``. Raises BadRequest."""
    if direction not in ("asc", "desc"):
        raise BadRequest("A sort direction must be asc or desc.")
    return direction == "desc"


def page_links(path: str, parameters: Sequence[tuple[str, str]], last_id: str | None) -> tuple[str, str | None]:
    """
    Return the links ``first`` and ``next``: the same query, every repeated key kept, without and with a marker.

    Args:
        last_id: The last item of a full page; None: there is no next page.
    """
    kept = [(name, value) for name, value in parameters if name != "marker"]
    first = f"{path}?{urlencode(kept)}" if kept else path
    if last_id is None:
        return first, None
    return first, f"{path}?{urlencode([*kept, ('marker', last_id)])}"
