"""``ecl image metadef property …``: custom properties in a namespace of metadata definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import Choice
from ecl.cli.image._metadef import (
    NAME,
    all_option,
    attributes_of,
    name_argument,
    namespace_argument,
    one_of,
    schema_option,
)

__all__ = ["property_create", "property_delete", "property_list", "property_show", "property_update"]

C = TypeVar("C", bound=Callable[..., Any])

_COLUMNS = [NAME, Column("title", "Title"), Column("type", "Type")]
_TYPES = ("array", "boolean", "integer", "number", "object", "string")


def _attributes(command: C) -> C:
    options = [
        click.option("--title", metavar="TEXT", help="Title for people."),
        click.option("--type", "kind", type=Choice(*_TYPES), help="Type of the value."),
        click.option("--description", metavar="TEXT", help="Description for people."),
        schema_option('The JSON Schema of the value: {"type": "string", "enum": […]}.'),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("list", cls=Command, columns=_COLUMNS)
@namespace_argument
@listing
@pass_cloud
def property_list(cloud: Cloud, out: Output, *, namespace: str) -> None:
    """List the properties of a namespace."""
    out.rows(_COLUMNS, [dict(each) for each in cloud.image.metadef_properties(namespace)], _COLUMNS)


@click.command("show", cls=Command)
@namespace_argument
@name_argument
@click.option("--resource-type", metavar="TYPE", help="NAME has the prefix for this resource type.")
@showing
@pass_cloud
def property_show(cloud: Cloud, out: Output, *, namespace: str, name: str, resource_type: str | None) -> None:
    """Show a property."""
    out.fields(_shown(dict(cloud.image.get_metadef_property(name, namespace, resource_type=resource_type))))


@click.command("create", cls=Command)
@namespace_argument
@name_argument
@_attributes
@showing
@pass_cloud
def property_create(
    cloud: Cloud,
    out: Output,
    *,
    namespace: str,
    name: str,
    kind: str | None,
    schema: dict[str, Any] | None,
    **options: str | None,
) -> None:
    """
    Create a property in a namespace (administrators). It needs a title and a type.

    \b
    Examples:
      ecl image metadef property create Acme::Tags cost_centre --title "Cost centre" --type string
    """
    attrs = attributes_of(schema, type=kind, **options)
    missing = [f"--{key}" for key in ("title", "type") if key not in attrs]
    if missing:
        raise click.UsageError(f"The property lacks {' and '.join(missing)}: give the option, or the key in --schema.")
    out.fields(_shown(dict(cloud.image.create_metadef_property(namespace, **{**attrs, "name": name}))))


@click.command("update", cls=Command)
@namespace_argument
@name_argument
@click.option("--name", "new_name", metavar="TEXT", help="New name of the property.")
@_attributes
@showing
@pass_cloud
def property_update(
    cloud: Cloud,
    out: Output,
    *,
    namespace: str,
    name: str,
    new_name: str | None,
    kind: str | None,
    schema: dict[str, Any] | None,
    **options: str | None,
) -> None:
    """Change a property (administrators). What no option names stays."""
    attrs = attributes_of(schema, name=new_name, type=kind, **options)
    if not attrs:
        raise click.UsageError("There is nothing to change: give an option, such as --title.")
    out.fields(_shown(dict(cloud.image.update_metadef_property(name, namespace, **attrs))))


@click.command("delete", cls=Command)
@namespace_argument
@click.argument("names", nargs=-1, metavar="NAME...")
@all_option("Delete all properties of the namespace.")
@pass_cloud
def property_delete(cloud: Cloud, *, namespace: str, names: tuple[str, ...], everything: bool) -> None:
    """Delete properties of a namespace (administrators)."""
    one_of(names, everything)
    if everything:
        cloud.image.delete_all_metadef_properties(namespace)
    for name in names:
        cloud.image.delete_metadef_property(name, namespace, ignore_missing=False)


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a schema that are set."""
    return {key: value for key, value in fields.items() if value is not None and key != "id"}
