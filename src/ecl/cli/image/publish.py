"""``ecl image publish``: a new image in the place of those of that name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import confirm, say
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli.image._find import named
from ecl.cli.image._options import attribute_options, attributes, upload_options, yes_option
from ecl.cli.image._record import described, print_image
from ecl.cli.image.create import create_with

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["publish"]

#: What a renamed image has behind its name: when it was created.
_SUFFIX = re.compile(r"-\d{8}T\d{6}Z")


@click.command(cls=Command)
@click.argument("name")
@click.option("--file", "file", type=click.Path(), required=True, help="File to upload; - reads standard input.")
@click.option("--rename", is_flag=True, help="Rename the previous ones to NAME-DATE, instead of hiding them.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Delete all but N of the previous ones.  [all stay]")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@upload_options
@attribute_options
@yes_option
@progress_option
@showing
@pass_cloud
def publish(
    cloud: Cloud,
    out: Output,
    *,
    name: str,
    file: str,
    rename: bool,
    keep: int | None,
    size: int | None,
    force: bool,
    decompress: bool,
    max_bandwidth: int | None,
    dry_run: bool,
    tags: tuple[str, ...],
    yes: bool,
    progress: str,
    **options: Any,
) -> None:
    """
    Upload a file as the image NAME, then hide or rename the project's previous images of that name.

    The new image stays hidden until it is there and verified, so whoever asks for NAME gets the previous one or the
    new one, never none and never half of one. Protected images are not deleted.
    """
    previous = [each for each in named(cloud, name) if each.owner == cloud.project_id]
    old = _retired(cloud, name, rename)
    deleted = _beyond(keep, [*previous, *old])
    if dry_run:
        _print_plan(name, file, previous, deleted, rename)
        return
    if len(deleted) > 1:
        confirm(f"Delete {len(deleted)} previous images ({', '.join(map(described, deleted))})?", yes)
    attrs = {**attributes(options), "name": name, "os_hidden": True}
    attrs |= {"tags": list(dict.fromkeys(tags))} if tags else {}
    attrs |= {"force": force, "decompress": decompress, "max_bandwidth": max_bandwidth}
    with meter(progress, "upload", name) as at:
        attrs["progress"] = lambda done, total: at(done, total or size)
        left = f"nothing was published; the images named {name!r} are as before."
        image = create_with(cloud, file, attrs, left)
    image = cloud.image.update_image(image, {"os_hidden": False})
    for each in previous:
        cloud.image.update_image(each, _retirement(each, rename))
        say(f"{'renamed' if rename else 'hidden'}: {described(each)}")
    for each in deleted:
        cloud.image.delete_image(each)
        say(f"deleted: {described(each)}")
    print_image(out, image)


def _retirement(image: Image, rename: bool) -> dict[str, Any]:
    return {"name": _retired_name(image)} if rename else {"os_hidden": True}


def _retired_name(image: Image) -> str:
    return f"{image.name}-{(image.created_at or '').replace('-', '').replace(':', '')}"


def _retired(cloud: Cloud, name: str, rename: bool) -> list[Image]:
    """Return the project's images that earlier calls have put aside, the newest first."""
    if not rename:
        return [each for each in named(cloud, name, os_hidden=True) if each.owner == cloud.project_id]
    mine = cloud.image.images(owner=cloud.project_id, sort="created_at:desc")
    return [each for each in mine if _SUFFIX.fullmatch((each.name or "").removeprefix(name))]


def _beyond(keep: int | None, images: list[Image]) -> list[Image]:
    """Return those to delete: all behind the first *keep* that are not protected."""
    return [] if keep is None else [each for each in images[keep:] if not each.protected]


def _print_plan(name: str, file: str, previous: list[Image], deleted: list[Image], rename: bool) -> None:
    for line in _plan(name, file, previous, deleted, rename):
        click.echo(line)


def _plan(name: str, file: str, previous: list[Image], deleted: list[Image], rename: bool) -> Iterator[str]:
    yield f"would upload {file} as {name}"
    for each in previous:
        yield f"would rename {described(each)} to {_retired_name(each)}" if rename else f"would hide {described(each)}"
    for each in deleted:
        yield f"would delete {described(each)}"
