"""``ecl image deactivate`` and ``activate``: forbid downloads of an image, and allow them again."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Output, showing
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._record import FIELDS, print_image

__all__ = ["activate", "deactivate"]


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@showing
@pass_cloud
def activate(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """Allow downloads of a deactivated image again."""
    found = find(cloud, image, newest)
    cloud.image.reactivate_image(found)
    print_image(out, cloud.image.get_image(found))


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@showing
@pass_cloud
def deactivate(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """Forbid downloads of an image, except by administrators."""
    found = find(cloud, image, newest)
    cloud.image.deactivate_image(found)
    print_image(out, cloud.image.get_image(found))
