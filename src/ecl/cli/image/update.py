"""``ecl image update`` (also ``set``) and ``unset``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Output, showing
from ecl.cli.image._advice import member_advice
from ecl.cli.image._dry_run import changed, dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._options import attribute_options, attributes
from ecl.cli.image._record import FIELDS, print_image

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["unset", "update"]


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@click.option("--name", help="New name of the image.")
@attribute_options
@click.option("--accept", "membership", flag_value="accepted", help="Accept a shared image.")
@click.option("--reject", "membership", flag_value="rejected", help="Reject a shared image.")
@click.option("--pending", "membership", flag_value="pending", help="Neither accept nor reject a shared image.")
@click.option("--deactivate", "action", flag_value="deactivate", help="Forbid downloads of the image.")
@click.option("--activate", "action", flag_value="reactivate", help="Allow downloads of the image again.")
@click.option(
    "--project",
    "--owner",
    "project",
    metavar="ID",
    help="New owner (administrators); with --accept, --reject or --pending, the project that answers.",
)
@dry_run_option
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
    dry_run: bool,
    tags: tuple[str, ...],
    **options: Any,
) -> None:
    """
    Change an image.

    All attributes, properties and tags change in one request, or none does. Existing tags stay. --accept, --reject and
    --pending set the member status of this project, or of --project.

    \b
    Examples:
      ecl image update debian-13 --property os_distro=debian --tag base --protected
      ecl image update debian-13 --name debian-13-old --hidden --dry-run
    """
    found = find(cloud, image, newest)
    changes = attributes(options)
    changes |= {"name": name} if name is not None else {}
    changes |= {"owner": project} if project and not membership else {}
    if tags:
        changes["tags"] = list(dict.fromkeys([*(found.tags or ()), *tags]))
    if not (changes or membership or action):
        raise click.UsageError("There is nothing to change: give an option, such as --name or --property.")
    if dry_run:
        steps = [step("update", found, changed(changes))] if changes else []
        steps += [step(action, found)] if action else []
        steps += [step(f"set {membership}", found, f"as project {project or cloud.project_id}")] if membership else []
        print_steps(out, steps)
        return
    if changes:
        found = cloud.image.update_image(found, changes)
    if action:
        found = _switch(cloud, found, action)
    if membership:
        with member_advice():
            cloud.image.update_member(found, project or cloud.project_id, membership)
    print_image(out, found)


def _switch(cloud: Cloud, image: Image, action: str) -> Image:
    getattr(cloud.image, f"{action}_image")(image)
    return cloud.image.get_image(image)


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@click.option("--tag", "tags", multiple=True, help="Remove this tag; repeatable.")
@click.option("--property", "properties", multiple=True, metavar="KEY", help="Remove this property; repeatable.")
@dry_run_option
@showing
@pass_cloud
def unset(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    newest: bool,
    tags: tuple[str, ...],
    properties: tuple[str, ...],
    dry_run: bool,
) -> None:
    """
    Remove tags and properties from an image, in one request.

    \b
    Examples:
      ecl image unset debian-13 --tag base --property os_distro
    """
    if not (tags or properties):
        raise click.UsageError("There is nothing to remove: give --tag or --property.")
    found = find(cloud, image, newest)
    missing = [f"tag {tag!r}" for tag in tags if tag not in (found.tags or ())]
    missing += [f"property {key!r}" for key in properties if key not in found.properties]
    if missing:
        raise click.ClickException(f"Image {found.id} has no {', no '.join(missing)}; nothing was changed.")
    changes: dict[str, Any] = dict.fromkeys(properties)
    if tags:
        changes["tags"] = [tag for tag in found.tags or () if tag not in tags]
    if dry_run:
        print_steps(out, [step("update", found, changed(changes))])
        return
    print_image(out, cloud.image.update_image(found, changes))
