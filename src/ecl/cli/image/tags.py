"""``ecl image tag add``, ``list`` and ``remove``."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, newest_option

__all__ = ["tag_add", "tag_list", "tag_remove"]


@click.command("add", cls=Command)
@image_argument
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@newest_option
@dry_run_option
@listing
@pass_cloud
def tag_add(cloud: Cloud, out: Output, *, image: str, tags: tuple[str, ...], newest: bool, dry_run: bool) -> None:
    """
    Add tags to an image; existing tags stay.

    \b
    Examples:
      ecl image tag add debian-13 base tested
    """
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [step("add tag", found, tag) for tag in tags if tag not in (found.tags or ())])
        return
    for tag in tags:
        cloud.image.add_tag(found, tag)


@click.command("list", cls=Command)
@image_argument
@newest_option
@listing
@pass_cloud
def tag_list(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """List the tags of an image."""
    tags = sorted(find(cloud, image, newest).tags or ())
    out.rows([Column("tag", "Tag")], [{"tag": tag} for tag in tags])


@click.command("remove", cls=Command)
@image_argument
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@newest_option
@dry_run_option
@listing
@pass_cloud
def tag_remove(cloud: Cloud, out: Output, *, image: str, tags: tuple[str, ...], newest: bool, dry_run: bool) -> None:
    """Remove tags from an image."""
    found = find(cloud, image, newest)
    missing = [repr(tag) for tag in tags if tag not in (found.tags or ())]
    if missing:
        raise click.ClickException(f"Image {found.id} has no tag {', '.join(missing)}; nothing was changed.")
    if dry_run:
        print_steps(out, [step("remove tag", found, tag) for tag in dict.fromkeys(tags)])
        return
    for tag in dict.fromkeys(tags):
        cloud.image.delete_tag(found, tag)
