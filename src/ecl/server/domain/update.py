"""Apply the operations of an image update, by the rules of who may change what and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecl.server.domain.access import check_owner_value, check_visibility_value
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import WRITABLE, Image
from ecl.server.domain.json_patch import Operation
from ecl.server.domain.protection import PropertyProtection
from ecl.server.domain.status import FORMATS_OPEN
from ecl.server.errors import Conflict, Forbidden

__all__ = ["apply_patch", "unique_tags"]


def unique_tags(tags: Sequence[str]) -> list[str]:
    """Return *tags* in order, without duplicates."""
    return list(dict.fromkeys(tags))


def apply_patch(image: Image, operations: Sequence[Operation], caller: Caller, protection: PropertyProtection) -> None:
    """
    Apply *operations* to *image*, in order. The caller has been checked to be one who may change the image.

    Raises:
        Forbidden: The caller, or anybody in this status, may not change an attribute; or a property is protected.
        Conflict: ``replace`` or ``remove`` of a property that does not exist; a 2.0 ``add`` of one that exists.
    """
    for operation in operations:
        if operation.name in WRITABLE:
            _apply_to_attribute(image, operation, caller)
        else:
            protection.check_change(caller, image.properties, operation.verb, operation.name)
            _apply_to_property(image, operation)


def _apply_to_attribute(image: Image, operation: Operation, caller: Caller) -> None:
    name, value = operation.name, operation.value
    if operation.verb == "remove":
        raise Forbidden(f"Attribute '{name}' may not be removed.")
    _check_attribute(image, name, value, caller)
    if operation.verb == "add" and not operation.overwrites:
        raise Conflict(f"Attribute '{name}' exists already.")
    if name == "tags":
        value = unique_tags(value)
    elif name in ("min_ram", "min_disk"):
        # The schema accepts 2.0 as an integer.
        value = int(value)
    setattr(image, name, value)


def _check_attribute(image: Image, name: str, value: Any, caller: Caller) -> None:
    if name == "owner":
        check_owner_value(caller, value)
    elif name == "visibility":
        check_visibility_value(caller, value)
    elif name in ("disk_format", "container_format") and image.status not in FORMATS_OPEN:
        raise Forbidden(f"Attribute '{name}' may only change while the image is queued; it is {image.status}.")


def _apply_to_property(image: Image, operation: Operation) -> None:
    name = operation.name
    exists = name in image.properties
    if operation.verb == "add":
        if exists and not operation.overwrites:
            raise Conflict(f"Property '{name}' exists already.")
    elif not exists:
        raise Conflict(f"Property '{name}' does not exist.")
    if operation.verb == "remove":
        del image.properties[name]
    else:
        image.properties[name] = operation.value
