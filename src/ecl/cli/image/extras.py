"""``ecl image license-list`` and ``schema-show``."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._words import Choice

__all__ = ["license_list", "schema_show"]

_SCHEMAS = {
    "image": "get_image_schema",
    "images": "get_images_schema",
    "member": "get_image_member_schema",
    "metadefs/namespace": "get_metadata_namespace_schema",
    "metadefs/object": "get_metadata_object_schema",
    "metadefs/property": "get_metadata_property_schema",
    "metadefs/resource_type": "get_metadata_resource_type_schema",
}


@click.command("license-list", cls=Command)
@listing
@pass_cloud
def license_list(cloud: Cloud, out: Output) -> None:
    """List the licence switch types of the region."""
    names = (name for each in cloud.image.licenses() for name in each.license_switch_types or ())
    out.rows([Column("license_switch_type", "License Switch Type")], ({"license_switch_type": each} for each in names))


@click.command("schema-show", cls=Command)
@click.argument("schema", type=Choice(*_SCHEMAS), default="image", metavar="[SCHEMA]")
@showing
@pass_cloud
def schema_show(cloud: Cloud, out: Output, *, schema: str) -> None:
    """
    Show a JSON Schema of the service: its attributes as a table, or the document itself with -f json.

    SCHEMA is image (if none is given), images, member, metadefs/namespace, metadefs/object, metadefs/property or
    metadefs/resource_type.
    """
    document = dict(getattr(cloud.image, _SCHEMAS[schema])())
    if out.format != "table" or out.columns:
        out.fields(document)
        return
    rows = [
        {"name": name, "type": _type(each), "description": each.get("description", "")}
        for name, each in (document.get("properties") or {}).items()
    ]
    out.rows([Column("name", "Name"), Column("type", "Type"), Column("description", "Description")], rows)


def _type(described: dict[str, object]) -> str:
    found = described.get("type", "")
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
