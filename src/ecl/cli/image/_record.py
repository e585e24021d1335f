"""An image as a command shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecl.cli._output import Column

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["FIELDS", "LONG", "SHORT", "record"]

SHORT = [Column("id", "ID"), Column("name", "Name"), Column("status", "Status")]
LONG = [
    *SHORT[:2],
    Column("disk_format", "Disk Format"),
    Column("container_format", "Container Format"),
    Column("size", "Size"),
    Column("checksum", "Checksum"),
    Column("status", "Status"),
    Column("visibility", "Visibility"),
    Column("protected", "Protected"),
    Column("owner", "Project"),
    Column("tags", "Tags"),
    Column("created_at", "Created At"),
]
#: The fields of one image, in their order; all that are there in each image, so that programs find them.
FIELDS = [
    Column(name, name)
    for name in (
        "id", "name", "status", "visibility", "disk_format", "container_format", "size", "virtual_size", "min_disk",
        "min_ram", "protected", "os_hidden", "owner", "checksum", "os_hash_algo", "os_hash_value", "tags", "properties",
        "created_at", "updated_at", "stores", "locations", "file", "schema",
    )
]  # fmt: skip


def record(image: Image) -> dict[str, Any]:
    """Return everything that the cloud says of *image*, and its properties once more by themselves."""
    return {**dict(image), "tags": sorted(image.tags or ()), "properties": dict(sorted(image.properties.items()))}
