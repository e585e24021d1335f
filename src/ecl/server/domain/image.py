"""The image: its attributes, which of them a client may set, and its JSON form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ecl.server.clock import iso_seconds
from ecl.server.errors import BadRequest, Forbidden, TooLarge
from ecl.server.settings.model import ImageLimits, RegionSettings

__all__ = [
    "BASE_ATTRIBUTES",
    "MAX_PROPERTY_NAME",
    "WRITABLE",
    "Image",
    "check_name_writable",
    "check_properties",
    "check_quotas",
    "image_to_wire",
    "is_reserved",
]

#: Longest name of a custom property, in characters.
MAX_PROPERTY_NAME = 255

#: Attributes that a client may set; the ID can be set at creation only.
WRITABLE = frozenset(
    {
        "name",
        "disk_format",
        "container_format",
        "visibility",
        "protected",
        "min_ram",
        "min_disk",
        "owner",
        "os_hidden",
        "tags",
    }
)
_READ_ONLY = frozenset(
    {
        "status",
        "size",
        "virtual_size",
        "checksum",
        "os_hash_algo",
        "os_hash_value",
        "created_at",
        "updated_at",
        "self",
        "file",
        "schema",
        "direct_url",
        "stores",
        "locations",
    }
)
#: Every name at the top level of an image that is not a custom property.
BASE_ATTRIBUTES = WRITABLE | _READ_ONLY | {"id"}
_RESERVED = frozenset({"location", "deleted", "deleted_at"})
#: Prefix of the properties that the service itself sets.
_RESERVED_PREFIX = "os_glance"


@dataclass(slots=True)
class Image:
    """One image. Times are in microseconds since the epoch, sizes in bytes."""

    id: str
    status: str
    visibility: str
    created_at: int
    updated_at: int
    name: str | None = None
    owner: str | None = None
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    #: Gigabytes.
    min_disk: int = 0
    #: Megabytes.
    min_ram: int = 0
    protected: bool = False
    os_hidden: bool = False
    upload_id: str | None = None
    tags: list[str] = field(default_factory=list)
    #: In the order in which they were added.
    properties: dict[str, str] = field(default_factory=dict)
    #: Names of the stores that hold its data, the oldest first, and its key in each.
    stores: dict[str, str] = field(default_factory=dict)
    #: Of a store for addresses elsewhere: the address, and what the client keeps with it.
    addresses: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def copy(self) -> Image:
        """Return a copy that can be changed without changing this one."""
        return replace(self, tags=list(self.tags), properties=dict(self.properties), stores=dict(self.stores))


def image_to_wire(image: Image) -> dict[str, Any]:
    """Return *image* in the JSON form of the API; links are relative to the region's endpoint."""
    path = "/v2/images/" + image.id
    wire = {
        **image.properties,
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "visibility": image.visibility,
        "size": image.size,
        "virtual_size": image.virtual_size,
        "status": image.status,
        "checksum": image.checksum,
        "protected": image.protected,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "owner": image.owner,
        "os_hidden": image.os_hidden,
        "os_hash_algo": image.os_hash_algo,
        "os_hash_value": image.os_hash_value,
        "id": image.id,
        "created_at": iso_seconds(image.created_at),
        "updated_at": iso_seconds(image.updated_at),
        "tags": image.tags,
        "self": path,
        "file": path + "/file",
        "schema": "/v2/schemas/image",
    }
    if image.stores:
        wire["stores"] = ",".join(image.stores)
    return wire


def check_name_writable(name: str) -> None:
    """
    Refuse names that only the service may set.

    Raises:
        Forbidden: *name* is read-only or reserved.
    """
    if name in _READ_ONLY:
        raise Forbidden(f"Attribute '{name}' is read-only.")
    if is_reserved(name):
        raise Forbidden(f"Attribute '{name}' is reserved.")


def is_reserved(name: str) -> bool:
    """Return True if no client may set a property of that *name*."""
    return name in _RESERVED or name.startswith(_RESERVED_PREFIX)


def check_properties(properties: dict[str, str], region: RegionSettings) -> None:
    """
    Check the names of custom properties, and the value of ``license_switch``.

    Raises:
        BadRequest: A name is too long, or the region does not have that licence switch type.
    """
    for name in properties:
        if len(name) > MAX_PROPERTY_NAME:
            raise BadRequest(f"A property name is longer than {MAX_PROPERTY_NAME} characters: '{name[:40]}...'.")
    chosen = properties.get("license_switch")
    types = region.license_switch_types
    if chosen is not None and chosen not in types:
        allowed = f"has these: {', '.join(types)}" if types else "has none"
        raise BadRequest(f"'{chosen[:255]}' is not a licence switch type of region {region.name}, which {allowed}.")


def check_quotas(image: Image, limits: ImageLimits, before: Image | None = None) -> None:
    """
    Check that *image* has no more properties and tags, and no longer ones, than the limits allow.

    Args:
        before: The image before the change; None for a new one. What was too long then may stay.

    Raises:
        TooLarge: It has more.
    """
    custom = [name for name in image.properties if not is_reserved(name)]
    for what, count, maximum in (
        ("properties", len(custom), limits.image_property_quota),
        ("tags", len(image.tags), limits.image_tag_quota),
    ):
        if count > maximum:
            raise TooLarge(f"An image may have at most {maximum} {what}; this would make {count}.")
    known = {} if before is None else before.properties
    for name in custom:
        value = image.properties[name]
        if known.get(name) != value and _size(value) > limits.image_property_value_bytes:
            raise TooLarge(
                f"The value of property '{name[:40]}' is too long: at most {limits.image_property_value_bytes} bytes."
            )
    size = _metadata_size(image)
    if size > limits.image_metadata_bytes and (before is None or size > _metadata_size(before)):
        raise TooLarge(
            f"The name, tags and properties of an image may have at most {limits.image_metadata_bytes} bytes together; "
            f"this would make {size}."
        )


def _metadata_size(image: Image) -> int:
    texts = [image.name or "", *image.tags]
    for name, value in image.properties.items():
        if not is_reserved(name):
            texts += name, value
    return sum(map(_size, texts))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
