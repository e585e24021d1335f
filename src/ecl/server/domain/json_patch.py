"""
The two JSON-patch dialects of the image API.

2.1: ``{"op": "replace", "path": "/name", "value": "x"}``; ``add`` overwrites an existing value.
2.0: ``{"replace": "/name", "value": "x"}``; ``add`` of an existing attribute is a conflict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, cast

from ecl.server.domain.image import check_name_writable
from ecl.server.errors import BadRequest, Forbidden

__all__ = ["Operation", "Version", "parse_patch"]

Verb = Literal["add", "replace", "remove"]
Version = Literal["2.0", "2.1"]

_VERBS = ("add", "replace", "remove")
_BAD_ESCAPE = re.compile(r"~(?![01])")


@dataclass(frozen=True, slots=True)
class Operation:
    """One change: *name* is the attribute or property, unescaped; *value* is None for ``remove``."""

    verb: Verb
    name: str
    value: Any  # Any: JSON; the schema says later what it must be
    #: True if ``add`` may overwrite a value.
    overwrites: bool = True
    #: Of a location: the index in the list, or "-" for its end.
    position: str | None = None


def parse_patch(body: object, version: Version, *, with_locations: bool = False) -> list[Operation]:
    """
    Return the operations of a decoded request *body*, in order.

    Args:
        with_locations: True if locations can be changed.

    Raises:
        BadRequest: The body is not a list of operations of this dialect.
        Forbidden: An operation changes a read-only attribute.
    """
    if not isinstance(body, list):
        raise BadRequest("The body of an image update must be a JSON list of operations.")
    return [_parse_operation(item, version, with_locations) for item in body]


def _parse_operation(item: object, version: Version, with_locations: bool) -> Operation:
    if not isinstance(item, dict):
        raise BadRequest("Each operation of an image update must be a JSON object.")
    verb, path = _verb_and_path_21(item) if version == "2.1" else _verb_and_path_20(item)
    if verb != "remove" and "value" not in item:
        raise BadRequest(f"The operation '{verb}' on '{path[:80]}' needs a value.")
    name = _attribute_name(path)
    if name == "locations" and verb == "add" and "/" not in path[1:]:
        raise BadRequest("A location is added at '/locations/-' or before another one.")
    if name == "locations" and with_locations:
        return Operation(verb, name, item.get("value"), position=_location_position(verb, path))
    check_name_writable(name)
    if name == "id":
        raise Forbidden("Attribute 'id' is read-only.")
    value = item["value"] if verb != "remove" else None
    return Operation(verb, name, value, overwrites=version == "2.1")


def _verb_and_path_21(item: dict[str, Any]) -> tuple[Verb, str]:
    verb = item.get("op")
    if verb not in _VERBS:
        raise BadRequest("Each operation needs 'op': add, replace or remove.")
    return cast(Verb, verb), _checked_pointer(item.get("path"))


def _verb_and_path_20(item: dict[str, Any]) -> tuple[Verb, str]:
    verbs = [verb for verb in _VERBS if verb in item]
    if len(verbs) != 1:
        raise BadRequest("Each operation needs exactly one of the keys add, replace and remove.")
    return cast(Verb, verbs[0]), _checked_pointer(item[verbs[0]])


def _checked_pointer(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest("Each operation needs a path that starts with '/'.")
    if path != "/" and path.endswith("/"):
        raise BadRequest(f"The path '{path[:80]}' ends with '/'.")
    if _BAD_ESCAPE.search(path):
        raise BadRequest(f"In the path '{path[:80]}' a '~' is not part of '~0' or '~1'.")
    return path


def _location_position(verb: Verb, path: str) -> str | None:
    """Return where in the list of locations to add or remove one; None for ``replace``, which is for the list."""
    tokens = path.lstrip("/").split("/")
    if len(tokens) != (1 if verb == "replace" else 2):
        raise BadRequest(f"'{path[:80]}' is no path to {verb}: /locations replaces all, /locations/N is for one.")
    return None if verb == "replace" else tokens[1]


def _attribute_name(path: str) -> str:
    # "/" is the property with the empty name; "//name" is read as "/name", as Glance does.
    tokens = path.lstrip("/").split("/")
    name = tokens[0].replace("~1", "/").replace("~0", "~")
    if len(tokens) > 1 and name != "locations":
        hint = " Give the whole list of tags at '/tags'." if name == "tags" else ""
        raise BadRequest(f"The path '{path[:80]}' goes deeper than an attribute of an image.{hint}")
    return name
