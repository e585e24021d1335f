"""
Lists in an order in which Glance leaves images out.

Glance finds the next page by comparing with the last image of a page, and takes an image without a size for one of
size ``""`` there, but not where it sorts; so with the name and the formats. Depending on its database, images without a
value, or all after them, are then missing, or the pages go round in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ecl import exceptions

__all__ = ["MOST_LEFT_OUT", "whole_list"]

Query = list[tuple[str, str]]
Page = dict[str, Any]

#: Keys that an image may have no value for.
_NULLABLE = frozenset({"name", "size", "disk_format", "container_format"})
_ORDER = frozenset({"sort", "sort_key", "sort_dir"})
#: Images that may be missing in a list and are then sorted here, in memory: some 5 KB each.
MOST_LEFT_OUT = 100_000


def whole_list(pages: Callable[[Query], Iterator[Page]], query: Query) -> Iterator[Page]:
    """
    Yield the pages of a list of images, and one more with the images that the service left out of them.

    Only a list of several pages in such an order costs more: the IDs of its images are kept, and all are listed again
    in the service's own order, which is safe. What was left out is sorted here. A list that begins after a marker is
    as the service sends it: which images were before the marker cannot be known.

    Args:
        pages: Gets the pages for a query.

    Raises:
        InvalidResponse: More than :data:`MOST_LEFT_OUT` images were left out.
    """
    order = _order(query)
    names = {name for name, _ in query}
    # A filter by a key leaves none without it; None at the end of an order does not matter where there is no next page.
    if not any(key in _NULLABLE and not _is_filtered(key, names) for key, _ in order) or "marker" in names:
        yield from pages(query)
        return
    seen: set[Any] = set()
    first: Page | None = None
    for page in pages(query):
        ids = [item.get("id") for item in page["images"]]
        if not seen.isdisjoint(ids):
            break
        seen.update(ids)
        yield page
        if first is None:
            if not page.get("next"):
                return
            first = {**page, "images": page["images"][:1]}
    if first is None or not first["images"]:
        return
    missing = _missing(pages([(name, value) for name, value in query if name not in _ORDER]), seen, order)
    if missing:
        # A service sorts images without a value to one end: to the first one, or not.
        _sort(missing, order, _value(first["images"][0], order[0][0]) is None)
        yield {**first, "images": missing}


def _missing(pages: Iterator[Page], seen: set[Any], order: list[tuple[str, str]]) -> list[dict[str, Any]]:
    missing: list[dict[str, Any]] = []
    for page in pages:
        missing += [item for item in page["images"] if item.get("id") not in seen]
        if len(missing) > MOST_LEFT_OUT:
            raise exceptions.InvalidResponse(
                f"The service leaves more than {MOST_LEFT_OUT:,} images out of a list sorted by {order[0][0]}, too many"
                " to sort them here: sort by created_at, or list fewer images"
            )
    return missing


def _order(query: Query) -> list[tuple[str, str]]:
    """Return the keys of a query and their directions, as Glance reads them."""
    order: list[tuple[str, str]] = []
    for value in (value for name, value in query if name == "sort"):
        for part in value.split(","):
            key, _, direction = part.partition(":")
            order.append((key.strip(), direction.strip() or "desc"))
    if not order:
        keys = [value for name, value in query if name == "sort_key"]
        directions = [value for name, value in query if name == "sort_dir"] or ["desc"]
        order = [(key, directions[min(index, len(directions) - 1)]) for index, key in enumerate(keys)]
    return order


def _is_filtered(key: str, names: set[str]) -> bool:
    return not names.isdisjoint((key, f"{key}_min", f"{key}_max"))


def _sort(images: list[dict[str, Any]], order: list[tuple[str, str]], gaps_first: bool) -> None:
    """Sort *images* by *order*; Glance sorts equal ones by the time they were created, and by ID."""
    rest = order[0][1] if len(order) == 1 else "desc"
    whole = [*order, ("created_at", rest), ("id", rest)]
    for index, (key, direction) in reversed(list(enumerate(whole))):
        is_descending = direction == "desc"
        # Of further keys it is not known where the service has those without a value: as the smallest ones.
        at_front = gaps_first if index == 0 else not is_descending
        gap = 0 if at_front != is_descending else 2
        images.sort(key=lambda item, key=key, gap=gap: _rank(item, key, gap), reverse=is_descending)  # type: ignore[misc]


def _rank(item: dict[str, Any], key: str, gap: int) -> tuple[int, Any]:
    value = _value(item, key)
    return (gap, 0) if value is None else (1, value)


def _value(item: dict[str, Any], key: str) -> Any:
    """Return what *item* is sorted by; None if it has nothing that can be compared."""
    value = item.get(key)
    return value if isinstance(value, int if key == "size" else str) else None
