"""``ecl image metadef namespace …`` and ``resource-type …``: groups of metadata definitions, and what they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._numbers import WholeNumber
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._suggest import Choice
from ecl.cli.image._metadef import NAME, attributes_of, namespace_argument, schema_option

__all__ = [
    "namespace_create",
    "namespace_delete",
    "namespace_list",
    "namespace_show",
    "namespace_update",
    "resource_type_add",
    "resource_type_list",
    "resource_type_remove",
]

C = TypeVar("C", bound=Callable[..., Any])

_COLUMNS = [
    Column("namespace", "Namespace"),
    Column("display_name", "Display Name"),
    Column("visibility", "Visibility"),
    Column("protected", "Protected"),
    Column("owner", "Owner"),
]
_FIELDS = [
    Column(name, name)
    for name in (
        "namespace", "display_name", "description", "visibility", "protected", "owner", "resource_type_associations",
        "properties", "objects", "tags", "created_at", "updated_at",
    )
]  # fmt: skip


def _attributes(command: C) -> C:
    options = [
        click.option("--display-name", metavar="TEXT", help="Title for people."),
        click.option("--description", metavar="TEXT", help="Description for people."),
        click.option("--public", "visibility", flag_value="public", help="Let every project see the namespace."),
        click.option("--private", "visibility", flag_value="private", help="Let only its owner see the namespace."),
        click.option(
            "--protected/--unprotected", default=None, help="Protect the namespace from deletion, or allow it."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("list", cls=Command, columns=_FIELDS)
@click.option("--visibility", type=Choice("public", "private"), help="List only namespaces with this visibility.")
@click.option(
    "--resource-type",
    "--resource-types",
    "resource_types",
    multiple=True,
    metavar="NAME",
    help="List only namespaces for this resource type, such as OS::Glance::Image; repeatable.",
)
@click.option("--page-size", "limit", type=WholeNumber(1), help="Most namespaces per request.")
@listing
@pass_cloud
def namespace_list(
    cloud: Cloud, out: Output, *, visibility: str | None, resource_types: tuple[str, ...], limit: int | None
) -> None:
    """List namespaces."""
    query = attributes_of(None, visibility=visibility, limit=limit, resource_types=",".join(resource_types) or None)
    out.rows(_COLUMNS, (dict(each) for each in cloud.image.metadef_namespaces(**query)), _FIELDS)


@click.command("show", cls=Command, columns=_FIELDS)
@namespace_argument
@click.option("--resource-type", metavar="NAME", help="Show the properties with the prefix for this resource type.")
@showing
@pass_cloud
def namespace_show(cloud: Cloud, out: Output, *, namespace: str, resource_type: str | None) -> None:
    """Show a namespace with its properties, objects, tags and resource types."""
    found = cloud.image.get_metadef_namespace(namespace, resource_type=resource_type)
    out.fields(dict(found), [field for field in _FIELDS if field.key in found])


@click.command("create", cls=Command)
@namespace_argument
@_attributes
@schema_option("The whole namespace, with properties, objects, tags and resource_type_associations.")
@showing
@pass_cloud
def namespace_create(
    cloud: Cloud, out: Output, *, namespace: str, schema: dict[str, Any] | None, **options: Any
) -> None:
    """
    Create a namespace (administrators).

    \b
    Examples:
      ecl image metadef namespace create Acme::Tags --public --display-name "Tags of Acme"
      ecl image metadef namespace create OS::Compute::CPU --schema @cpu.json
    """
    attrs = attributes_of(schema, **options)
    cloud.image.create_metadef_namespace(**{**attrs, "namespace": namespace})
    # The answer to a POST does not have all of the content.
    found = cloud.image.get_metadef_namespace(namespace)
    out.fields(dict(found), [field for field in _FIELDS if field.key in found])


@click.command("update", cls=Command)
@namespace_argument
@click.option("--name", metavar="TEXT", help="New name of the namespace.")
@_attributes
@showing
@pass_cloud
def namespace_update(cloud: Cloud, out: Output, *, namespace: str, name: str | None, **options: Any) -> None:
    """Change a namespace (administrators). What no option names stays."""
    attrs = attributes_of(None, namespace=name, **options)
    if not attrs:
        raise click.UsageError("There is nothing to change: give an option, such as --description.")
    found = cloud.image.update_metadef_namespace(namespace, **attrs)
    out.fields(dict(found), [field for field in _FIELDS if field.key in found])


@click.command("delete", cls=Command)
@click.argument("namespaces", nargs=-1, required=True, metavar="NAMESPACE...")
@pass_cloud
def namespace_delete(cloud: Cloud, *, namespaces: tuple[str, ...]) -> None:
    """Delete namespaces with all that is in them (administrators)."""
    for namespace in namespaces:
        cloud.image.delete_metadef_namespace(namespace, ignore_missing=False)


# --- resource types -------------------------------------------------------------------------------------------


@click.command("list", cls=Command)
@click.argument("namespace", required=False)
@listing
@pass_cloud
def resource_type_list(cloud: Cloud, out: Output, *, namespace: str | None) -> None:
    """List the resource types that NAMESPACE describes; without NAMESPACE, all that are known."""
    if namespace is None:
        out.rows([NAME], [dict(each) for each in cloud.image.metadef_resource_types()])
        return
    columns = [NAME, Column("prefix", "Prefix"), Column("properties_target", "Properties Target")]
    out.rows(columns, [dict(each) for each in cloud.image.metadef_resource_type_associations(namespace)])


@click.command("add", cls=Command)
@namespace_argument
@click.argument("resource_type", metavar="TYPE")
@click.option("--prefix", "name_prefix", metavar="TEXT", help="Prefix of the properties' names on such a resource.")
@click.option("--properties-target", metavar="TEXT", help="Part of the resource that the properties describe.")
@listing
@pass_cloud
def resource_type_add(
    cloud: Cloud,
    out: Output,
    *,
    namespace: str,
    resource_type: str,
    name_prefix: str | None,
    properties_target: str | None,
) -> None:
    """Associate a namespace with a resource type, such as OS::Glance::Image (administrators)."""
    attrs = attributes_of(None, prefix=name_prefix, properties_target=properties_target)
    made = cloud.image.create_metadef_resource_type_association(namespace, name=resource_type, **attrs)
    columns = [NAME, Column("prefix", "Prefix"), Column("properties_target", "Properties Target")]
    out.rows(columns, [dict(made)])


@click.command("remove", cls=Command)
@namespace_argument
@click.argument("resource_type", metavar="TYPE")
@pass_cloud
def resource_type_remove(cloud: Cloud, *, namespace: str, resource_type: str) -> None:
    """Remove the association of a namespace with a resource type (administrators)."""
    cloud.image.delete_metadef_resource_type_association(resource_type, namespace, ignore_missing=False)
