"""``ecl image publish``: replace the images of a name by a new one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import confirm, say
from ecl.cli._numbers import WholeNumber
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import named
from ecl.cli.image._look import check_file
from ecl.cli.image._options import attribute_options, attributes, taken_options, upload_options, yes_option
from ecl.cli.image._record import FIELDS, described, print_image
from ecl.cli.image._signing import sign_options, taken_signing
from ecl.cli.image.create import create_with

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["publish"]

#: Suffix of a renamed image: when it was created.
_SUFFIX = re.compile(r"-\d{8}T\d{6}Z")


@click.command(cls=Command, columns=FIELDS)
@click.argument("name")
@click.option("--file", "file", type=click.Path(), required=True, help="File to upload; - reads standard input.")
@click.option("--rename", is_flag=True, help="Rename previous images to NAME-DATE instead of hiding them.")
@click.option(
    "--keep",
    type=WholeNumber(),
    metavar="N",
    help="Keep N previous images, hidden or renamed; delete the others.  [all]",
)
@dry_run_option
@upload_options
@sign_options
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
    dry_run: bool,
    tags: tuple[str, ...],
    yes: bool,
    progress: str,
    **options: Any,
) -> None:
    """
    Upload a file as the image NAME, then hide or rename the project's previous images of that name.

    The new image is hidden until it is uploaded and verified, so a list by NAME always has a complete image. For a
    moment, until the previous image is hidden, it has both. Protected images are not deleted.

    \b
    Examples:
      ecl image publish base --file base.qcow2 --keep 2 --dry-run
    """
    signing = taken_signing(options, file)
    previous = [image for image in named(cloud, name) if image.owner == cloud.project_id]
    retired = _retired(cloud, name)
    surplus = _surplus(keep, [*previous, *retired])
    upload = {**taken_options(options), **signing}
    attrs = {**attributes(options), "name": name, "os_hidden": True}
    attrs |= {"tags": list(dict.fromkeys(tags))} if tags else {}
    if dry_run:
        check_file(file, upload, attrs)
        print_steps(out, list(_plan(name, file, previous, surplus, rename)))
        return
    if len(surplus) > 1:
        confirm(f"Delete {len(surplus)} previous images ({', '.join(map(described, surplus))})?", yes)
    with meter(progress, "upload", name) as at:
        if_interrupted = f"nothing was published; the images named {name!r} are as before."
        image = create_with(cloud, file, {**attrs, **upload, "progress": at}, if_interrupted)
    image = cloud.image.update_image(image, {"os_hidden": False})
    for old in previous:
        cloud.image.update_image(old, _retirement(old, rename))
        say(f"{'renamed' if rename else 'hidden'}: {described(old)}")
    for old in surplus:
        cloud.image.delete_image(old)
        say(f"deleted: {described(old)}")
    print_image(out, image)


def _retirement(image: Image, rename: bool) -> dict[str, Any]:
    """Return the change that puts *image* aside."""
    return {"name": _retired_name(image)} if rename else {"os_hidden": True}


def _retired_name(image: Image) -> str:
    return f"{image.name}-{(image.created_at or '').replace('-', '').replace(':', '')}"


def _retired(cloud: Cloud, name: str) -> list[Image]:
    """Return the project's images that earlier calls hid or renamed, newest first."""
    own = [
        image
        for hidden in (False, True)
        for image in cloud.image.images(owner=cloud.project_id, os_hidden=hidden, sort="created_at:desc")
    ]
    retired = [image for image in own if _is_retired(image, name)]
    return sorted(retired, key=lambda image: image.created_at or "", reverse=True)


def _is_retired(image: Image, name: str) -> bool:
    if image.name == name:
        return bool(image.os_hidden)
    prefix, suffix = (image.name or "")[: len(name)], (image.name or "")[len(name) :]
    return prefix == name and _SUFFIX.fullmatch(suffix) is not None


def _surplus(keep: int | None, images: list[Image]) -> list[Image]:
    """Return the images to delete: all after the first *keep*, except protected ones."""
    return [] if keep is None else [image for image in images[keep:] if not image.protected]


def _plan(name: str, file: str, previous: list[Image], surplus: list[Image], rename: bool) -> Iterator[dict[str, Any]]:
    yield step("upload", name, f"from {file}")
    for old in previous:
        yield step("rename", old, f"to {_retired_name(old)}") if rename else step("hide", old)
    for old in surplus:
        yield step("delete", old)
