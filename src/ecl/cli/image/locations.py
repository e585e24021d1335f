"""``ecl image location …``: the addresses of an image's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._json import JsonObject
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._record import FIELDS, print_image

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["location_add", "location_list", "location_remove", "location_set"]

_url = click.argument("url", metavar="URL")


@click.command("add", cls=Command, columns=FIELDS)
@image_argument
@_url
@newest_option
@click.option("--hash-algo", metavar="NAME", help="Algorithm of --hash-value, such as sha512.")
@click.option("--hash-value", metavar="HEX", help="Hash that the data must have.")
@click.option("--metadata", type=JsonObject(), help="Metadata of the address, on clouds that show locations.")
@showing
@pass_cloud
def location_add(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    url: str,
    newest: bool,
    hash_algo: str | None,
    hash_value: str | None,
    metadata: dict[str, Any] | None,
) -> None:
    """
    Let a queued image use the data at URL.

    With --metadata, the address is added by a change of the image, which only clouds that show locations allow.
    """
    if bool(hash_algo) != bool(hash_value):
        raise click.UsageError("Give --hash-algo and --hash-value together.")
    checks = {"os_hash_algo": hash_algo, "os_hash_value": hash_value} if hash_algo and hash_value else None
    found = find(cloud, image, newest)
    if metadata is None:
        cloud.image.add_image_location(found, url, validation_data=checks)
    else:
        value = {"url": url, "metadata": metadata, **({"validation_data": checks} if checks else {})}
        cloud.image.update_image(found, [{"op": "add", "path": "/locations/-", "value": value}])
    print_image(out, cloud.image.get_image(found))


@click.command("list", cls=Command)
@image_argument
@newest_option
@listing
@pass_cloud
def location_list(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """List the addresses of an image's data."""
    found = find(cloud, image, newest)
    locations = [dict(each) for each in cloud.image.image_locations(found)]
    out.rows([Column("url", "URL"), Column("metadata", "Metadata")], locations)


@click.command("set", cls=Command, columns=FIELDS)
@image_argument
@_url
@newest_option
@click.option("--metadata", type=JsonObject(), required=True, help="New metadata of the address.")
@showing
@pass_cloud
def location_set(cloud: Cloud, out: Output, *, image: str, url: str, newest: bool, metadata: dict[str, Any]) -> None:
    """Change the metadata of an address, on clouds that show locations."""
    found = find(cloud, image, newest)
    shown = _shown(found)
    shown[_index(found, url)] = {"url": url, "metadata": metadata}
    print_image(out, cloud.image.update_image(found, [{"op": "replace", "path": "/locations", "value": shown}]))


@click.command("remove", cls=Command)
@image_argument
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@newest_option
@pass_cloud
def location_remove(cloud: Cloud, *, image: str, urls: tuple[str, ...], newest: bool) -> None:
    """Remove addresses from an image, on clouds that show locations."""
    found = find(cloud, image, newest)
    # The last one first: each removal moves those behind it.
    numbers = sorted({_index(found, url) for url in urls}, reverse=True)
    cloud.image.update_image(found, [{"op": "remove", "path": f"/locations/{number}"} for number in numbers])


def _shown(image: Image) -> list[dict[str, Any]]:
    if image.locations is None:
        raise click.ClickException(f"The cloud does not show the locations of image {image.id}, so they cannot change.")
    return [dict(location) for location in image.locations]


def _index(image: Image, url: str) -> int:
    for number, location in enumerate(_shown(image)):
        if location.get("url") == url:
            return number
    raise click.ClickException(f"Image {image.id} has no location {url!r}; nothing was changed.")
