"""
Metadata definitions: what custom properties mean, for programs and people that show or set them.

A namespace holds properties, objects (groups of properties), tags, and associations with resource types, such as
``OS::Glance::Image``, each with a prefix for the names of properties on such a resource.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from ecl.server.clock import iso_seconds
from ecl.server.domain.caller import Caller
from ecl.server.domain.schemas import validate
from ecl.server.errors import BadRequest, Conflict, Forbidden, NotFound

__all__ = [
    "LIST_KEYS",
    "PREFIX_PATH",
    "Item",
    "Kind",
    "Namespace",
    "check_can_write",
    "check_reads",
    "check_unprotected",
    "item_to_wire",
    "items_of_body",
    "namespace_not_found",
    "namespace_of_body",
    "namespace_to_wire",
    "parse_item",
    "prefixed",
    "sees",
]

PREFIX_PATH = "/v2/metadefs/namespaces"

Kind = Literal["property", "object", "tag", "resource_type"]

#: The key of each kind of items in the document of a namespace.
LIST_KEYS: dict[Kind, str] = {
    "resource_type": "resource_type_associations",
    "object": "objects",
    "tag": "tags",
    "property": "properties",
}
_READ_ONLY = frozenset({"self", "schema", "created_at", "updated_at"})


@dataclass(slots=True)
class Namespace:
    """One namespace. Times are in microseconds since the epoch."""

    namespace: str
    visibility: str
    protected: bool
    owner: str | None
    created_at: int
    updated_at: int
    display_name: str | None = None
    description: str | None = None
    #: The database's key; 0 before it is stored.
    id: int = 0


@dataclass(slots=True)
class Item:
    """A property, object, tag or association of a namespace. Times are in microseconds since the epoch."""

    kind: Kind
    name: str
    #: Everything but the name and the times.
    body: dict[str, Any] = field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0
    #: The database's key; 0 before it is stored.
    id: int = 0


# --- permissions ------------------------------------------------------------------------------------------


def namespace_not_found(name: str) -> NotFound:
    """Return the error for a namespace that does not exist, or that the caller may not see."""
    return NotFound(f"Namespace {name[:80]} not found.")


def check_reads(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may read metadata definitions."""
    if not caller.can_read:
        raise Forbidden("Reading metadata definitions needs the role reader or member.")


def sees(caller: Caller, namespace: Namespace) -> bool:
    """Return True if *caller* may know that *namespace* exists."""
    own = namespace.owner is not None and namespace.owner == caller.project_id
    return caller.is_admin or namespace.visibility == "public" or own


def check_can_write(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may change metadata definitions."""
    if not caller.is_admin:
        raise Forbidden("Only an administrator may change metadata definitions.")


def check_unprotected(namespace: Namespace) -> None:
    """Raise Forbidden if *namespace* is protected: nothing in it can be deleted then."""
    if namespace.protected:
        raise Forbidden(f"Namespace {namespace.namespace} is protected: nothing in it can be deleted.")


# --- from the wire --------------------------------------------------------------------------------------------


def _checked(kind: str, body: object) -> dict[str, Any]:
    """Return the decoded *body*. Raises BadRequest, or Forbidden for a read-only attribute."""
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    for name in _READ_ONLY & body.keys():
        raise Forbidden(f"Attribute '{name}' is read-only.")
    validate(f"metadefs/{kind}", body)
    if body.get("namespace") == "":
        raise BadRequest("The namespace must have a name: no path would lead to it.")
    return body


def namespace_of_body(body: object, caller: Caller, moment: int) -> tuple[Namespace, dict[str, Any]]:
    """
    Return the namespace that a decoded *body* describes, without its items, and the checked body.

    Raises:
        BadRequest: It does not fit the schema.
        Forbidden: It sets a read-only attribute.
    """
    checked = _checked("namespace", body)
    namespace = Namespace(
        checked["namespace"],
        checked.get("visibility", "private"),
        checked.get("protected", False),
        checked.get("owner", caller.project_id),
        moment,
        moment,
        checked.get("display_name"),
        checked.get("description"),
    )
    return namespace, checked


def items_of_body(body: dict[str, Any], moment: int) -> list[Item]:
    """
    Return every item in the checked *body* of a namespace.

    Raises:
        BadRequest: An item has no name.
        Conflict: Two items of a kind have the same name.
    """
    items: list[Item] = []
    for kind, key in LIST_KEYS.items():
        entries = body.get(key, [])
        if isinstance(entries, dict):
            entries = [{**value, "name": name} for name, value in entries.items()]
        items.extend(_item(kind, entry, moment) for entry in entries)
    _refuse_repeats(items)
    return items


def _refuse_repeats(items: Iterable[Item]) -> None:
    seen: set[tuple[str, str]] = set()
    for item in items:
        if (item.kind, item.name) in seen:
            raise Conflict(f"Two of the {LIST_KEYS[item.kind]} have the name {item.name}.")
        seen.add((item.kind, item.name))


def parse_item(kind: Kind, body: object, moment: int) -> Item:
    """
    Return the item that a decoded *body* describes.

    Raises:
        BadRequest: It does not fit the schema.
        Forbidden: It sets a read-only attribute.
    """
    item = _item(kind, _checked(kind, body), moment)
    if kind == "property":
        # If a property was sent by itself, Glance also keeps the name in its body.
        item.body = {"name": item.name, **item.body}
    return item


def _item(kind: Kind, body: dict[str, Any], moment: int) -> Item:
    # The schema of a namespace does not require the items in it to have names.
    if not body.get("name"):
        raise BadRequest(f"Each of the {LIST_KEYS[kind]} must have a name: no path would lead to it.")
    rest = {name: value for name, value in body.items() if name != "name" and name not in _READ_ONLY}
    return Item(kind, body["name"], rest, moment, moment)


# --- to the wire ----------------------------------------------------------------------------------------------


def namespace_to_wire(namespace: Namespace, items: Collection[Item] = ()) -> dict[str, Any]:
    """Return *namespace* with *items* in the JSON form of the API, without attributes that are not set."""
    wire: dict[str, Any] = {
        "namespace": namespace.namespace,
        "display_name": namespace.display_name,
        "description": namespace.description,
        "visibility": namespace.visibility,
        "protected": namespace.protected,
        "owner": namespace.owner,
        "created_at": iso_seconds(namespace.created_at),
        "updated_at": iso_seconds(namespace.updated_at),
        "self": f"{PREFIX_PATH}/{quote(namespace.namespace, safe='')}",
        "schema": "/v2/schemas/metadefs/namespace",
    }
    for kind, key in LIST_KEYS.items():
        of_kind = [item for item in items if item.kind == kind]
        if kind == "property" and of_kind:
            wire[key] = {item.name: item_to_wire(item, namespace.namespace) for item in of_kind}
        elif of_kind:
            wire[key] = [item_to_wire(item, namespace.namespace) for item in of_kind]
    return {name: value for name, value in wire.items() if value is not None}


def item_to_wire(item: Item, namespace: str) -> dict[str, Any]:
    """Return *item* in the JSON form of a list of its kind; there a property's name is its key."""
    if item.kind == "property":
        return item.body
    wire: dict[str, Any] = {"name": item.name, **item.body}
    if item.kind == "tag":
        return wire
    wire |= {"created_at": iso_seconds(item.created_at), "updated_at": iso_seconds(item.updated_at)}
    if item.kind == "object":
        wire = {"required": [], "properties": {}, **wire}
        wire["self"] = f"{PREFIX_PATH}/{quote(namespace, safe='')}/objects/{quote(item.name, safe='')}"
        wire["schema"] = "/v2/schemas/metadefs/object"
    return wire


def prefixed(items: Iterable[Item], resource_type: str) -> list[Item]:
    """
    Return *items* for *resource_type*: property names get the prefix of the namespace's association with it.

    In objects, the names of properties and of required properties get it.
    """
    items = list(items)
    prefix = next(
        (str(i.body.get("prefix") or "") for i in items if i.kind == "resource_type" and i.name == resource_type), ""
    )
    return [_with_prefix(item, prefix) for item in items] if prefix else items


def _with_prefix(item: Item, prefix: str) -> Item:
    if item.kind == "property":
        return Item(item.kind, prefix + item.name, item.body, item.created_at, item.updated_at)
    if item.kind != "object":
        return item
    body = dict(item.body)
    if "properties" in body:
        body["properties"] = {prefix + name: value for name, value in body["properties"].items()}
    if "required" in body:
        body["required"] = [prefix + name for name in body["required"]]
    return Item(item.kind, item.name, body, item.created_at, item.updated_at)
