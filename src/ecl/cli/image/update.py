"""``ecl image update`` (also ``set``) and ``unset``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Output, showing
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._options import attribute_options, attributes
from ecl.cli.image._record import print_image

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["unset", "update"]


@click.command(cls=Command)
@image_argument
@newest_option
@click.option("--name", help="A new name.")
@attribute_options
@click.option("--accept", "membership", flag_value="accepted", help="Accept the image, which another project shares.")
@click.option("--reject", "membership", flag_value="rejected", help="Reject it.")
@click.option("--pending", "membership", flag_value="pending", help="Neither accept nor reject it.")
@click.option("--deactivate", "action", flag_value="deactivate", help="Let nobody download the data.")
@click.option("--activate", "action", flag_value="reactivate", help="Let it be downloaded again.")
@click.option(
    "--project", "--owner", "project", metavar="ID", help="The project that accepts; or a new owner (administrators)."
)
@showing
@pass_cloud
def update(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    newest: bool,
    name: str | None,
    membership: str | None,
    action: str | None,
    project: str | None,
    tags: tuple[str, ...],
    **options: Any,
) -> None:
    """
    Change an image: all that is given, or nothing. Tags are added to those that it has.

    With --accept, --reject or --pending this project (or --project) answers the one that shares the image.
    """
    found = find(cloud, image, newest)
    changes = attributes(options)
    changes |= {"name": name} if name is not None else {}
    changes |= {"owner": project} if project and not membership else {}
    if tags:
        changes["tags"] = list(dict.fromkeys([*(found.tags or ()), *tags]))
    if not (changes or membership or action):
        raise click.UsageError("Nothing was given to change: give an option, such as --name or --property.")
    if changes:
        found = cloud.image.update_image(found, changes)
    if action:
        found = _switch(cloud, found, action)
    if membership:
        cloud.image.update_member(found, project or cloud.project_id, membership)
    print_image(out, found)


def _switch(cloud: Cloud, image: Image, action: str) -> Image:
    getattr(cloud.image, f"{action}_image")(image)
    return cloud.image.get_image(image)


@click.command(cls=Command)
@image_argument
@newest_option
@click.option("--tag", "tags", multiple=True, help="A tag to take off; repeatable.")
@click.option("--property", "properties", multiple=True, metavar="KEY", help="A property to take off; repeatable.")
@showing
@pass_cloud
def unset(
    cloud: Cloud, out: Output, *, image: str, newest: bool, tags: tuple[str, ...], properties: tuple[str, ...]
) -> None:
    """Take tags and properties off an image: all that are given, or none."""
    if not (tags or properties):
        raise click.UsageError("Nothing was given to take off: give --tag or --property.")
    found = find(cloud, image, newest)
    missing = [f"tag {each!r}" for each in tags if each not in (found.tags or ())]
    missing += [f"property {each!r}" for each in properties if each not in found.properties]
    if missing:
        raise click.ClickException(f"Image {found.id} has no {', no '.join(missing)}; nothing was changed.")
    changes: dict[str, Any] = dict.fromkeys(properties)
    if tags:
        changes["tags"] = [each for each in found.tags or () if each not in tags]
    print_image(out, cloud.image.update_image(found, changes))
