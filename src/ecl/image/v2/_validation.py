"""
Validation of values by the JSON Schemas of the image API.

These schemas use a small part of the language, and a library for all of it would be the largest dependency of a
client: so that part is implemented here. An unknown keyword is ignored, as JSON Schema requires.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["problems"]

#: References followed from one value: a document that refers to itself ends there.
_DEPTH = 50

Document = Mapping[str, Any]

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "array": lambda value: isinstance(value, (list, tuple)),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}


def problems(document: Document, instance: object) -> Iterator[str]:
    """
    Yield a sentence for every mismatch of *instance* with *document*. The sentence names the property.

    Args:
        document: A complete schema: references into its ``definitions`` are followed.
        instance: What JSON can hold; an object may be any mapping, a list any list or tuple.
    """
    yield from _check(instance, document, _Place(document, ""))


class _Place:
    """Where in the instance a check is, and in which document its references lead somewhere."""

    def __init__(self, document: Document, path: str, depth: int = 0) -> None:
        self.document, self.path, self.depth = document, path, depth

    def inside(self, name: object) -> _Place:
        return _Place(self.document, f"{self.path}.{name}" if self.path else str(name), self.depth)

    def deeper(self) -> _Place:
        return _Place(self.document, self.path, self.depth + 1)

    def says(self, what: str) -> str:
        return f"{self.path!r} {what}" if self.path else f"it {what}"


def _check(value: Any, schema: Any, place: _Place) -> Iterator[str]:
    if schema is False:
        yield place.says("is not known here")
    if not isinstance(schema, Mapping) or place.depth > _DEPTH:
        return
    if "$ref" in schema:
        yield from _check(value, _resolve(schema["$ref"], place.document), place.deeper())
        return
    for part in schema.get("allOf", ()):
        yield from _check(value, part, place.deeper())
    types = schema.get("type")
    names = [types] if isinstance(types, str) else types
    if isinstance(names, list) and not any(_TYPES.get(name, _anything)(value) for name in names):
        yield place.says(f"must be {_either(names)}, not {_shown(value)}")
        return
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        yield place.says(f"must be one of {', '.join(map(_shown, schema['enum']))}, not {_shown(value)}")
    for kind, check in _CHECKS:
        if kind(value):
            yield from check(value, schema, place)


def _resolve(reference: object, document: Document) -> Any:
    """Return what ``#/definitions/x`` stands for; a reference to another document stands for anything."""
    found: Any = document
    for step in str(reference).removeprefix("#").strip("/").split("/"):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _check_text(value: str, schema: Document, place: _Place) -> Iterator[str]:
    yield from _check_length(len(value), schema, place, ("minLength", "maxLength"), "characters")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and _matches(pattern, value) is False:
        yield place.says(f"must match {pattern}, which {_shown(value)} does not")


def _check_number(value: float, schema: Document, place: _Place) -> Iterator[str]:
    least, most = (_bound(schema, keyword) for keyword in ("minimum", "maximum"))
    if least is not None and value < least:
        yield place.says(f"must be at least {least}, not {value}")
    if most is not None and value > most:
        yield place.says(f"must be at most {most}, not {value}")


def _check_list(value: list[Any], schema: Document, place: _Place) -> Iterator[str]:
    yield from _check_length(len(value), schema, place, ("minItems", "maxItems"), "items")
    if schema.get("uniqueItems") is True and any(
        _same(one, other) for index, one in enumerate(value) for other in value[:index]
    ):
        yield place.says("must not hold the same twice")
    for index, item in enumerate(value):
        yield from _check(item, schema.get("items"), place.inside(index))


def _check_object(value: Mapping[str, Any], schema: Document, place: _Place) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield place.inside(name).says("is missing")
    known = schema.get("properties")
    known = known if isinstance(known, Mapping) else {}
    for name in value:
        inner = known[name] if name in known else schema.get("additionalProperties")
        yield from _check(value[name], inner, place.inside(name))


def _check_length(length: int, schema: Document, place: _Place, keywords: tuple[str, str], unit: str) -> Iterator[str]:
    least, most = (_bound(schema, keyword) for keyword in keywords)
    if least is not None and length < least:
        yield place.says(f"must have at least {least} {unit}, not {length}")
    if most is not None and length > most:
        yield place.says(f"must have at most {most} {unit}, not {length}")


_CHECKS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Document, _Place], Iterator[str]]], ...] = (
    (_TYPES["string"], _check_text),
    (_TYPES["number"], _check_number),
    (_TYPES["array"], _check_list),
    (_TYPES["object"], _check_object),
)


def _is_number(value: object) -> bool:
    return _TYPES["number"](value)


def _bound(schema: Document, keyword: str) -> float | None:
    value = schema.get(keyword)
    return value if _is_number(value) else None


def _anything(_value: object) -> bool:
    return True


def _same(one: object, other: object) -> bool:
    # True is 1 for Python, but not for JSON.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _matches(pattern: str, value: str) -> bool | None:
    """Return whether *value* matches, or None for a pattern that Python does not understand."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return None


def _either(names: list[str]) -> str:
    return " or ".join("nothing" if name == "null" else name for name in names)


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
