"""``ecl image metadef object …``: groups of properties in a namespace of metadata definitions."""

from __future__ import annotations

from typing import Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import hint
from ecl.cli.image._metadef import (
    DESCRIPTION,
    NAME,
    all_option,
    attributes_of,
    name_argument,
    namespace_argument,
    one_of,
    schema_option,
)

__all__ = ["object_create", "object_delete", "object_list", "object_show", "object_update"]

_FIELDS = [NAME, DESCRIPTION, Column("properties", "properties"), Column("required", "required")]
_description = click.option("--description", metavar="TEXT", help="Description for people.")
_schema = schema_option('The object: {"properties": …, "required": […]}.')


@click.command("list", cls=Command, columns=_FIELDS)
@namespace_argument
@listing
@pass_cloud
def object_list(cloud: Cloud, out: Output, *, namespace: str) -> None:
    """List the objects of a namespace."""
    out.rows([NAME, DESCRIPTION], [dict(each) for each in cloud.image.metadef_objects(namespace)], _FIELDS)


@click.command("show", cls=Command, columns=_FIELDS)
@namespace_argument
@name_argument
@click.option("--property", "wanted", metavar="NAME", help="Show only this property of the object.")
@showing
@pass_cloud
def object_show(cloud: Cloud, out: Output, *, namespace: str, name: str, wanted: str | None) -> None:
    """Show an object, or one of its properties."""
    found = cloud.image.get_metadef_object(name, namespace)
    if wanted is None:
        out.fields(dict(found), _FIELDS)
        return
    properties = found.properties or {}
    if wanted not in properties:
        raise click.ClickException(f"Object {name!r} has no property {wanted!r}; {hint(wanted, properties)}")
    out.fields({"name": wanted, **properties[wanted]})


@click.command("create", cls=Command)
@namespace_argument
@name_argument
@_description
@_schema
@showing
@pass_cloud
def object_create(
    cloud: Cloud, out: Output, *, namespace: str, name: str, description: str | None, schema: dict[str, Any] | None
) -> None:
    """Create an object in a namespace (administrators)."""
    attrs = attributes_of(schema, description=description)
    out.fields(dict(cloud.image.create_metadef_object(namespace, **{**attrs, "name": name})), _FIELDS)


@click.command("update", cls=Command)
@namespace_argument
@name_argument
@click.option("--name", "new_name", metavar="TEXT", help="New name of the object.")
@_description
@_schema
@showing
@pass_cloud
def object_update(
    cloud: Cloud,
    out: Output,
    *,
    namespace: str,
    name: str,
    new_name: str | None,
    description: str | None,
    schema: dict[str, Any] | None,
) -> None:
    """Change an object (administrators). What no option names stays."""
    attrs = attributes_of(schema, name=new_name, description=description)
    if not attrs:
        raise click.UsageError("There is nothing to change: give an option, such as --schema.")
    out.fields(dict(cloud.image.update_metadef_object(name, namespace, **attrs)), _FIELDS)


@click.command("delete", cls=Command)
@namespace_argument
@click.argument("names", nargs=-1, metavar="NAME...")
@all_option("Delete all objects of the namespace.")
@pass_cloud
def object_delete(cloud: Cloud, *, namespace: str, names: tuple[str, ...], everything: bool) -> None:
    """Delete objects of a namespace (administrators)."""
    one_of(names, everything)
    if everything:
        cloud.image.delete_all_metadef_objects(namespace)
    for name in names:
        cloud.image.delete_metadef_object(name, namespace, ignore_missing=False)
