"""``ecl image schema show``: the JSON Schemas of the image service."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, showing
from ecl.cli._suggest import Choice

__all__ = ["schema_show"]

_SCHEMAS = {
    "image": "get_image_schema",
    "images": "get_images_schema",
    "member": "get_image_member_schema",
    "metadefs/namespace": "get_metadata_namespace_schema",
    "metadefs/object": "get_metadata_object_schema",
    "metadefs/property": "get_metadata_property_schema",
    "metadefs/resource_type": "get_metadata_resource_type_schema",
}


@click.command("show", cls=Command)
@click.argument("schema", type=Choice(*_SCHEMAS), default="image", metavar="[SCHEMA]")
@showing
@pass_cloud
def schema_show(cloud: Cloud, out: Output, *, schema: str) -> None:
    """
    Show a JSON Schema of the service: the attributes as a table, or the document with -f json.

    SCHEMA is image (the default), images, member, metadefs/namespace, metadefs/object, metadefs/property or
    metadefs/resource_type.
    """
    document = dict(getattr(cloud.image, _SCHEMAS[schema])())
    if out.format != "table" or out.columns:
        out.fields(document)
        return
    rows = [
        {"name": name, "type": _type(attribute), "description": attribute.get("description", "")}
        for name, attribute in (document.get("properties") or {}).items()
    ]
    out.rows([Column("name", "Name"), Column("type", "Type"), Column("description", "Description")], rows)


def _type(attribute: dict[str, object]) -> str:
    types = attribute.get("type", "")
    return ", ".join(map(str, types)) if isinstance(types, list) else str(types)
