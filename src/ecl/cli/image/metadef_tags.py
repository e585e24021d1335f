"""``ecl image metadef tag …``: tags in a namespace of metadata definitions."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli.image._metadef import NAME, all_option, name_argument, namespace_argument, one_of

__all__ = ["tag_create", "tag_delete", "tag_list", "tag_show", "tag_update"]

_FIELDS = [NAME, Column("created_at", "created_at"), Column("updated_at", "updated_at")]


@click.command("list", cls=Command, columns=_FIELDS)
@namespace_argument
@listing
@pass_cloud
def tag_list(cloud: Cloud, out: Output, *, namespace: str) -> None:
    """List the tags of a namespace."""
    out.rows([NAME], [dict(each) for each in cloud.image.metadef_tags(namespace)], _FIELDS)


@click.command("show", cls=Command)
@namespace_argument
@name_argument
@showing
@pass_cloud
def tag_show(cloud: Cloud, out: Output, *, namespace: str, name: str) -> None:
    """Show a tag of a namespace."""
    out.fields(dict(cloud.image.get_metadef_tag(name, namespace)), _FIELDS)


@click.command("create", cls=Command)
@namespace_argument
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--replace", is_flag=True, help="Remove all other tags of the namespace.")
@listing
@pass_cloud
def tag_create(cloud: Cloud, out: Output, *, namespace: str, names: tuple[str, ...], replace: bool) -> None:
    """Add tags to a namespace (administrators): all of them, or none."""
    made = cloud.image.create_metadef_tags(namespace, names, append=not replace)
    out.rows([NAME], [dict(each) for each in made])


@click.command("update", cls=Command)
@namespace_argument
@name_argument
@click.option("--name", "new_name", required=True, metavar="TEXT", help="New name of the tag.")
@showing
@pass_cloud
def tag_update(cloud: Cloud, out: Output, *, namespace: str, name: str, new_name: str) -> None:
    """Rename a tag of a namespace (administrators)."""
    out.fields(dict(cloud.image.update_metadef_tag(name, namespace, name=new_name)), _FIELDS)


@click.command("delete", cls=Command)
@namespace_argument
@click.argument("names", nargs=-1, metavar="NAME...")
@all_option("Delete all tags of the namespace.")
@pass_cloud
def tag_delete(cloud: Cloud, *, namespace: str, names: tuple[str, ...], everything: bool) -> None:
    """Delete tags of a namespace (administrators)."""
    one_of(names, everything)
    if everything:
        cloud.image.remove_tags_from_metadef_namespace(namespace)
    for name in names:
        cloud.image.remove_tag_from_metadef_namespace(namespace, name, ignore_missing=False)
