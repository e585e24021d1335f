"""``ecl image delete``."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import confirm, say
from ecl.cli.image._find import IMAGE, find, newest_option
from ecl.cli.image._options import yes_option
from ecl.cli.image._record import described

__all__ = ["delete"]


@click.command(cls=Command)
@click.argument("images", type=IMAGE, nargs=-1, required=True, metavar="IMAGE...")
@newest_option
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@yes_option
@pass_cloud
def delete(cloud: Cloud, *, images: tuple[str, ...], newest: bool, dry_run: bool, yes: bool) -> None:
    """
    Delete images.

    All are looked up before the first is deleted. Several images, and protected ones, are asked about first; where
    nobody can be asked, they are refused without --yes. A protected image then loses its protection.
    """
    from ecl import exceptions

    found = list({each.id: each for each in (find(cloud, name, newest) for name in images)}.values())
    if dry_run:
        for each in found:
            click.echo(f"would delete {described(each)}{', which is protected' if each.protected else ''}")
        return
    if len(found) > 1:
        confirm(f"Delete {len(found)} images ({', '.join(described(each) for each in found)})?", yes)
    for each in found:
        if each.protected:
            confirm(f"Image {described(each)} is protected. Delete it all the same?", yes)
    failed = 0
    for each in found:
        try:
            if each.protected:
                cloud.image.update_image(each, {"protected": False})
            cloud.image.delete_image(each, ignore_missing=False)
        except exceptions.HttpException as exc:
            if len(found) == 1:
                raise
            failed += 1
            say(f"Error: {described(each)}: {exc}")
    if failed:
        raise click.ClickException(f"{failed} of {len(found)} images could not be deleted.")
