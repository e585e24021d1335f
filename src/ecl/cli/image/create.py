"""``ecl image create``: create an image, usually from a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._errors import Interrupted
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli._streams import is_closed
from ecl.cli.image._advice import force_advice
from ecl.cli.image._dry_run import changed, dry_run_option, print_steps, step
from ecl.cli.image._look import check_file
from ecl.cli.image._options import attribute_options, attributes, taken_options, upload_options
from ecl.cli.image._record import FIELDS, print_image
from ecl.cli.image._signing import sign_options, taken_signing

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["create", "create_with", "read_from"]


@click.command(cls=Command, columns=FIELDS)
@click.argument("name")
@click.option("--id", "image_id", metavar="ID", help="ID of the new image.  [chosen by the cloud]")
@click.option("--file", "file", type=click.Path(), help="File to upload; - reads standard input.")
@click.option("--project", "--owner", "owner", metavar="ID", help="Project that owns the image (administrators).")
@click.option("--import", "imports", is_flag=True, help="Stage and import the file instead of uploading it.")
@upload_options
@sign_options
@attribute_options
@dry_run_option
@progress_option
@showing
@pass_cloud
def create(
    cloud: Cloud,
    out: Output,
    *,
    name: str,
    image_id: str | None,
    file: str | None,
    imports: bool,
    owner: str | None,
    dry_run: bool,
    progress: str,
    tags: tuple[str, ...],
    **options: Any,
) -> None:
    """
    Create an image named NAME, and upload a file to it.

    The disk format is detected from the data, and the container format is bare, unless you give them. If the upload
    fails or is interrupted, the image is deleted again.

    \b
    Examples:
      ecl image create debian-13 --file debian-13.qcow2 --os-distro debian --tag base
      ssh builder cat disk.xz | ecl image create disk --file - --decompress
    """
    upload = {**taken_options(options), **taken_signing(options, file)}
    attrs = {**attributes(options), "name": name}
    attrs |= {"id": image_id} if image_id else {}
    attrs |= {"owner": owner} if owner else {}
    attrs |= {"tags": list(dict.fromkeys(tags))} if tags else {}
    if dry_run:
        print_steps(out, [_planned(file, attrs, upload, imports)])
        return
    if file is None:
        print_image(out, cloud.image.create_image(**attrs))
        return
    with meter(progress, "stage" if imports else "upload", name) as at:
        upload["progress"] = at
        if imports:
            image = _import(cloud, file, attrs, upload)
        else:
            left = f"no image was left behind; {name!r} can be created again."
            image = create_with(cloud, file, {**upload, **attrs}, left)
    print_image(out, image)


def _planned(file: str | None, attrs: dict[str, Any], upload: dict[str, Any], imports: bool) -> dict[str, Any]:
    """Return the step of ``--dry-run``. The file is checked as an upload checks it; standard input is not read."""
    what = {name: value for name, value in attrs.items() if name != "name"}
    if file is None:
        return step("create", attrs["name"], changed(what))
    what |= check_file(file, upload, attrs)
    source = "standard input" if file == "-" else file
    return step("create", attrs["name"], f"{'import' if imports else 'upload'} {source}; {changed(what)}")


def _import(cloud: Cloud, file: str, attrs: dict[str, Any], upload: dict[str, Any]) -> Image:
    """Create an image and import *file* through the staging area. On an error the image is deleted again."""
    from ecl.image._transfer.options import UploadOptions
    from ecl.image.importing import create_by_import

    try:
        with force_advice():
            return create_by_import(cloud.image, read_from(file), attrs, UploadOptions.of(**upload))
    except KeyboardInterrupt as exc:
        raise Interrupted(" ".join(getattr(exc, "__notes__", ())) or "no image was left behind.") from exc


def read_from(file: str) -> Any:
    """Return what the SDK can upload: a path, or standard input for ``-``. Raises UsageError."""
    if file != "-":
        return file
    if is_closed("stdin"):
        raise click.UsageError("--file - reads standard input, which is closed: pipe the image into it.")
    if sys.stdin.isatty():
        raise click.UsageError("--file - reads standard input, which is a terminal: pipe the image into it.")
    return sys.stdin.buffer


def create_with(cloud: Cloud, file: str, arguments: dict[str, Any], if_interrupted: str) -> Image:
    """
    Create an image and upload *file* to it.

    Args:
        arguments: Arguments of the SDK's create_image.
        if_interrupted: Message after Ctrl-C, unless the SDK left a note.

    Raises:
        Interrupted: The user pressed Ctrl-C; the image was deleted again.
    """
    try:
        with force_advice():
            return cloud.image.create_image(data=read_from(file), **arguments)
    except KeyboardInterrupt as exc:
        raise Interrupted(" ".join(getattr(exc, "__notes__", ())) or if_interrupted) from exc
