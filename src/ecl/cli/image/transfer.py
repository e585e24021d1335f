"""``ecl image transfer``: stream an image from this cloud to another, without a file in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._completion import CloudName
from ecl.cli._confirm import say
from ecl.cli._errors import Interrupted
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli._values import human_size
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, named, newest_option
from ecl.cli.image._options import bandwidth_option, properties_of
from ecl.cli.image._record import FIELDS, print_image

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["transfer"]


@click.command(cls=Command, columns=FIELDS)
@image_argument
@click.argument("destination", type=CloudName(), metavar="CLOUD")
@newest_option
@click.option("--to-region", metavar="NAME", help="Region of the destination.  [the one in clouds.yaml]")
@click.option("--name", help="Name of the copy.  [the same]")
@click.option(
    "--property",
    "properties",
    multiple=True,
    callback=properties_of,
    metavar="KEY=VALUE",
    help="Set a property of the copy; repeatable.",
)
@click.option("--members", is_flag=True, help="Share the copy with the same project IDs; each must accept it.")
@click.option("--again", is_flag=True, help="Transfer even if the destination has the same image.")
@dry_run_option
@bandwidth_option
@progress_option
@showing
@pass_cloud
def transfer(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    destination: str,
    newest: bool,
    to_region: str | None,
    name: str | None,
    properties: dict[str, str],
    members: bool,
    again: bool,
    dry_run: bool,
    max_bandwidth: int | None,
    progress: str,
) -> None:
    """
    Stream an image to CLOUD, another cloud in clouds.yaml: data, attributes, tags and properties.

    Nothing is stored on this machine. The data is verified against the hashes of both clouds. If CLOUD has an image
    with that name and the same data, nothing is sent.

    \b
    Examples:
      ecl image transfer debian-13 backup
      ecl image transfer debian-13 jp2 --name base --property os_version=13
    """
    found = find(cloud, image, newest)
    if found.image_status != "active":
        raise click.ClickException(f"Image {found.id} is {found.image_status}; only an active image has data to send.")
    there = cloud.other(destination, to_region)
    wanted = name or found.name or ""
    same = None if again else _same(there, wanted, found)
    if dry_run:
        row = step("transfer", found, f"to {destination}, {human_size(found.size or 0)}") | {"name": wanted}
        if same is not None:
            row = step("keep", same, f"{destination} has the same data")
        print_steps(out, [row])
        return
    if same is not None:
        say(f"Image {same.id} in {destination} is the same already.")
    else:
        with meter(progress, "transfer", wanted or image) as at:
            options: dict[str, Any] = {"properties": properties, "name": wanted, "members": members}
            options |= {"max_bandwidth": max_bandwidth, "progress": at}
            same = _send(cloud, there, found, options)
    print_image(out, same)


def _same(there: Cloud, name: str, image: Image) -> Image | None:
    """Return an image of *there* with that name and the data of *image*."""
    for other in named(there, name) if name else ():
        same_hash = other.os_hash_algo == image.os_hash_algo and other.os_hash_value == image.os_hash_value
        if other.image_status == "active" and other.size == image.size and same_hash and other.os_hash_value:
            return other
    return None


def _send(cloud: Cloud, there: Cloud, image: Image, options: dict[str, Any]) -> Image:
    from ecl.image.transfer import copy

    try:
        return copy(cloud.image, image, there.image, **options)
    except KeyboardInterrupt as exc:
        notes = " ".join(getattr(exc, "__notes__", ()))
        raise Interrupted(notes or "the half-made image was deleted again; the same command starts over.") from exc
