"""``ecl image delete``."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import confirm, say
from ecl.cli._output import Output, listing
from ecl.cli.image._dry_run import print_steps, step
from ecl.cli.image._find import IMAGE, find, newest_option
from ecl.cli.image._options import yes_option
from ecl.cli.image._record import described

__all__ = ["delete"]


@click.command(cls=Command)
@click.argument("images", type=IMAGE, nargs=-1, required=True, metavar="IMAGE...")
@newest_option
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, in the chosen format, and delete nothing.")
@yes_option
@listing
@pass_cloud
def delete(cloud: Cloud, out: Output, *, images: tuple[str, ...], newest: bool, dry_run: bool, yes: bool) -> None:
    """
    Delete images.

    All images are looked up before the first is deleted. Deleting several images, or a protected one, needs
    confirmation on the terminal or --yes. A protected image is unprotected first.

    \b
    Examples:
      ecl image delete debian-11 debian-12 --dry-run
    """
    from ecl import exceptions

    found = list({image.id: image for image in (find(cloud, name, newest) for name in images)}.values())
    if dry_run:
        print_steps(out, [step("delete", image, "it is protected" if image.protected else "") for image in found])
        return
    if len(found) > 1:
        confirm(f"Delete {len(found)} images ({', '.join(described(image) for image in found)})?", yes)
    for image in found:
        if image.protected:
            confirm(f"Image {described(image)} is protected. Delete it all the same?", yes)
    failed = 0
    for image in found:
        try:
            if image.protected:
                cloud.image.update_image(image, {"protected": False})
            cloud.image.delete_image(image, ignore_missing=False)
        except exceptions.HttpException as exc:
            if len(found) == 1:
                raise
            failed += 1
            say(f"Error: {described(image)}: {exc}")
    if failed:
        raise click.ClickException(f"{failed} of {len(found)} images could not be deleted.")
