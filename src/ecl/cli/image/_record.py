"""How a command shows an image: its columns, its fields, and its name in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecl.cli._output import Column, Output
from ecl.cli._values import plain

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["FIELDS", "LONG", "SHORT", "described", "print_image", "record"]

SHORT = [Column("id", "ID"), Column("name", "Name"), Column("status", "Status")]
LONG = [
    *SHORT[:2],
    Column("disk_format", "Disk Format", extra=3),
    Column("container_format", "Container Format", extra=5),
    Column("size", "Size", extra=1),
    Column("checksum", "Checksum", extra=5),
    Column("status", "Status"),
    Column("visibility", "Visibility", extra=2),
    Column("protected", "Protected", extra=4),
    Column("owner", "Project", extra=4),
    Column("tags", "Tags", extra=3),
    Column("created_at", "Created At", extra=2),
]
#: The fields of one image, in this order. JSON has all of them for each image, so that programs can rely on them.
FIELDS = [
    Column(name, name)
    for name in (
        "id", "name", "status", "visibility", "disk_format", "container_format", "size", "virtual_size", "min_disk",
        "min_ram", "protected", "os_hidden", "owner", "checksum", "os_hash_algo", "os_hash_value", "tags", "properties",
        "created_at", "updated_at", "stores", "locations", "file", "schema",
    )
]  # fmt: skip


def record(image: Image) -> dict[str, Any]:
    """Return all fields of *image*; its properties stand on their own and again under ``properties``."""
    return {**dict(image), "tags": sorted(image.tags or ()), "properties": dict(sorted(image.properties.items()))}


def print_image(out: Output, image: Image) -> None:
    """Print the fields that the cloud returned for *image*."""
    out.fields(record(image), [field for field in FIELDS if field.key in image or field.key == "properties"])


def described(image: Image) -> str:
    """Return the name and ID of *image*, for a message."""
    return f"{plain(image.name)} {image.id}" if image.name else str(image.id)
