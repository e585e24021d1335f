"""A location of an image at an address elsewhere, and the operations of an update that change locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecl.server.domain.image import Image
from ecl.server.domain.status import ACTIVE, QUEUED
from ecl.server.errors import BadRequest, Conflict, Forbidden

__all__ = [
    "ELSEWHERE",
    "HASH_LENGTHS",
    "NewLocation",
    "check_locations_open",
    "check_new_location",
    "declared_hashes",
    "position_of",
]

#: The name of the store for data at addresses elsewhere, as Glance's documentation calls it.
ELSEWHERE = "http"
#: Hash algorithms that a client may declare, with the length of the hexadecimal hash.
HASH_LENGTHS: Mapping[str, int] = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, slots=True)
class NewLocation:
    """A location that a client adds; it has been checked against the schema of images."""

    url: str
    #: What the client wants to keep with it.
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: checksum, os_hash_algo and os_hash_value, as far as the client declares them.
    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> NewLocation:
        """Return the location in a decoded body. Raises BadRequest if it is not at an http or https address."""
        url = value["url"]
        if not url.startswith(("http://", "https://")):
            raise BadRequest("The address of a location must begin with http:// or https://.")
        return cls(url, value["metadata"], value.get("validation_data") or {})


def check_locations_open(image: Image) -> None:
    """Raise Conflict unless locations of *image* can be added or replaced in its status."""
    if image.status not in (QUEUED, ACTIVE):
        raise Conflict(f"Image {image.id} is {image.status}; its locations can change while it is queued or active.")


def check_new_location(image: Image, urls: list[str], new: NewLocation) -> None:
    """
    Check that *new* can be added to *image*, which has its data at *urls*.

    Raises:
        BadRequest: The image has this location already, or lacks a format.
    """
    if new.url in urls:
        raise BadRequest("The image has this location already.")
    if image.status == QUEUED and (image.disk_format is None or image.container_format is None):
        raise BadRequest("Set disk_format and container_format before adding a location.")


def declared_hashes(image: Image, new: NewLocation, algorithm: str) -> dict[str, str]:
    """
    Return the hashes that *new* sets on a queued *image*; an active one must have the same already.

    Args:
        algorithm: The hash that this service computes.

    Raises:
        Conflict: The image has others, or the hash is not *algorithm*'s.
        BadRequest: A hash has the wrong form.
    """
    declared = {name: value for name, value in new.hashes.items() if getattr(image, name) != value}
    for name in declared:
        if image.status != QUEUED or getattr(image, name) is not None:
            raise Conflict(f"The {name} in validation_data is not the image's.")
    if not declared:
        return {}
    if new.hashes["os_hash_algo"] != algorithm:
        raise Conflict(f"The os_hash_algo of this service is {algorithm}.")
    for name, length in (("checksum", 32), ("os_hash_value", HASH_LENGTHS[algorithm])):
        value = new.hashes.get(name)
        if value is not None and (len(value) != length or set(value) - set("0123456789abcdef")):
            raise BadRequest(f"The {name} in validation_data has {length} lower-case hexadecimal digits.")
    return declared


def position_of(image: Image, position: str | None, count: int) -> int:
    """
    Return the index of the location to remove, for the position in the path.

    Raises:
        Conflict: The image is not active.
        Forbidden: It is the only location.
        BadRequest: There is no location there.
    """
    if image.status != ACTIVE:
        raise Conflict(f"Image {image.id} is {image.status}; only locations of an active image can be removed.")
    if count == 1:
        raise Forbidden("The last location cannot be removed: delete the image instead.")
    index = int(position) if position is not None and position.isdecimal() and len(position) < 9 else -1
    if position == "-":
        index = count - 1
    if not 0 <= index < count:
        raise BadRequest(f"There is no location {position!r}; positions begin at 0.")
    return index
