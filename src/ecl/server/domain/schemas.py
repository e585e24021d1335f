"""
The JSON schemas that the service publishes and uses to check requests.

The schema of one item is a file in ``schemas``; the schemas of lists are made from them here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import msgspec

from ecl.server.errors import BadRequest

__all__ = ["SCHEMA_NAMES", "schema", "validate"]

#: Schema of a list to the schema of its items.
_LISTS = {
    "images": "image",
    "members": "member",
    "tasks": "task",
    "metadefs/namespaces": "metadefs/namespace",
    "metadefs/objects": "metadefs/object",
    "metadefs/properties": "metadefs/property",
    "metadefs/resource_types": "metadefs/resource_type",
    "metadefs/tags": "metadefs/tag",
}
#: Every name after ``/v2/schemas/``.
SCHEMA_NAMES = frozenset(_LISTS) | frozenset(_LISTS.values())

_PAGED = frozenset(_LISTS) - {"members", "tasks"}
_TASK_DETAILS = frozenset({"input", "result", "message"})
#: Longest message of a validation error, in characters.
_MAX_MESSAGE = 300
#: Characters of a message from which the client's value in it is cut, and to which.
_MAX_QUOTING, _MAX_VALUE = 150, 60
#: Stands for the client's value in a message.
_MASK = "\0"

Document = dict[str, Any]


@cache
def schema(name: str) -> Document:
    """Return the schema *name*, one of `SCHEMA_NAMES`; do not change it. Raises KeyError."""
    if name in _LISTS:
        return _list_schema(name, schema(_LISTS[name]))
    if name not in SCHEMA_NAMES:
        raise KeyError(name)
    text = files("ecl.server").joinpath("schemas", *f"{name}.json".split("/")).read_bytes()
    document: Document = msgspec.json.decode(text)
    return document


@cache
def _validator(name: str, mask: str | None = None) -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(schema(name), validate_formats=False, mask=mask)


def validate(name: str, instance: object) -> None:
    """
    Check *instance* against the schema *name*.

    Raises:
        BadRequest: It does not fit; the message names the key.
    """
    validator = _validator(name)
    if validator.is_valid(instance):
        return
    error = next(iter(validator.iter_errors(instance)))
    key = ".".join(str(step) for step in error.instance_path)[:80]
    message = error.message if len(error.message) <= _MAX_QUOTING else _shortened(name, instance, error.message)
    where = f"Invalid value for '{key}'" if error.instance_path else "Invalid body"
    raise BadRequest(f"{where}: {message}")


def _shortened(name: str, instance: object, message: str) -> str:
    """Return *message* with the value that it quotes cut, so that the reason behind the value can be read."""
    reason = next(iter(_validator(name, _MASK).iter_errors(instance))).message
    if reason.startswith(_MASK):
        reason = reason.removeprefix(_MASK)
        value = message.removesuffix(reason)
        quote = '"' if value.startswith('"') else ""
        message = f"{value[:_MAX_VALUE]}…{quote}{reason}"
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def _list_schema(name: str, item: Document) -> Document:
    key = name.rpartition("/")[2]
    links: list[dict[str, str]] = []
    properties: Document = {key: _list_of(name, item)}
    if name in _PAGED:
        properties |= {"first": {"type": "string"}, "next": {"type": "string"}}
        links = [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}]
    properties["schema"] = {"type": "string"}
    links.append({"rel": "describedby", "href": "{schema}"})
    document: Document = {"name": key, "properties": properties, "links": links}
    if "definitions" in item:
        document["definitions"] = item["definitions"]
    if name == "metadefs/resource_types":
        document["name"] = "resource_type_associations"
        properties["resource_type_associations"] = properties.pop(key)
    return document


def _list_of(name: str, item: Document) -> Document:
    inner = {part: value for part, value in item.items() if part != "definitions"}
    if name == "tasks":
        inner["properties"] = {key: value for key, value in item["properties"].items() if key not in _TASK_DETAILS}
    if name == "metadefs/properties":
        # Their keys are their names, so no name is needed inside.
        inner["required"] = [key for key in item["required"] if key != "name"]
        return {"type": "object", "additionalProperties": {"type": "object", **inner}}
    return {"type": "array", "items": {"type": "object", **inner}}
