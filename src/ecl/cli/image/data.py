"""``ecl image download`` (also ``save``) and ``upload``: the data of an image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._confirm import say
from ecl.cli._errors import Interrupted
from ecl.cli._numbers import WholeNumber
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli._streams import is_closed
from ecl.cli._values import human_size
from ecl.cli.image._advice import force_advice
from ecl.cli.image._dry_run import changed, dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._look import check_file
from ecl.cli.image._options import bandwidth_option, upload_options
from ecl.cli.image._record import FIELDS, print_image
from ecl.cli.image.create import read_from

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["download", "upload"]

# What an image says that its data is compared with.
_CHECKED = ("disk_format", "container_format", "min_disk")


@click.command(cls=Command)
@image_argument
@newest_option
@click.option("--file", "file", type=click.Path(), help="File to write; - is standard output.")
@click.option("--connections", type=WholeNumber(1, 16), metavar="N", help="Fetch N ranges in parallel, 1 to 16.")
@click.option(
    "--verify-certificate",
    type=click.Path(),
    metavar="FILE",
    help="Verify the image's signature with this X.509 certificate (PEM or DER); refuse an image without one.",
)
@click.option("--chunk-size", hidden=True, help="Accepted and ignored, as in openstackclient.")
@bandwidth_option
@progress_option
@pass_cloud
def download(
    cloud: Cloud,
    *,
    image: str,
    newest: bool,
    file: str | None,
    connections: int | None,
    verify_certificate: str | None,
    chunk_size: str | None,
    max_bandwidth: int | None,
    progress: str,
) -> None:
    """
    Download the data of an image and verify it.

    The data is written to FILE.part, which is renamed to FILE after its hash matches the cloud's. An interrupted
    download continues from FILE.part. Without --file the data goes to standard output, which must not be a terminal;
    the exit code is 0 only if the hash matches.

    \b
    Examples:
      ecl image download debian-13 --file debian-13.raw
      ecl image download debian-13 | zstd > debian-13.raw.zst
    """
    from ecl import exceptions

    del chunk_size
    target: Any = file
    if file in (None, "-"):
        if is_closed("stdout"):
            raise click.UsageError("Standard output is closed: name a file by --file.")
        if sys.stdout.isatty():
            raise click.UsageError("Standard output is a terminal: name a file by --file.")
        target = sys.stdout.buffer
    found = find(cloud, image, newest)
    with meter(progress, "download", found.name or image) as at:
        try:
            cloud.image.download_image(
                found,
                output=target,
                progress=at,
                connections=connections,
                max_bandwidth=max_bandwidth,
                verify_signature=verify_certificate,
            )
        except KeyboardInterrupt as exc:
            raise Interrupted(_left(file, target)) from exc
        except exceptions.FileFailure as exc:
            if target is not file and isinstance(exc.cause, BrokenPipeError):
                # The reader of standard output has gone: end as every other command does, without a message.
                raise exc.cause from exc
            raise
    if target is file:
        also = ", and so is its signature" if verify_certificate else ""
        say(f"{file}: {human_size(found.size or 0)}, verified{also}.")


def _left(file: str | None, target: object) -> str:
    """Return what an interrupted download left on the disk."""
    if file is None or target is not file:
        return "the output is incomplete."
    part = f"{Path(file).resolve() if Path(file).is_symlink() else file}.part"
    if Path(part).exists():
        return f"{file} was not written; the same command goes on from {part}."
    return f"{file} was not written, and nothing was left behind."


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@click.option("--file", "file", type=click.Path(), required=True, help="File to upload; - reads standard input.")
@upload_options
@dry_run_option
@progress_option
@showing
@pass_cloud
def upload(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    newest: bool,
    file: str,
    dry_run: bool,
    progress: str,
    **options: Any,
) -> None:
    """
    Upload data to an image that has none yet.

    If the image has no formats, the disk format is detected from the data, and the container format is bare.

    \b
    Examples:
      ecl image upload debian-13 --file debian-13.qcow2
    """
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [_planned(found, file, options)])
        return
    with meter(progress, "upload", found.name or image) as at:
        options["progress"] = at
        try:
            with force_advice():
                if found.disk_format and found.container_format:
                    uploaded = cloud.image.upload_image(found, read_from(file), **options)
                else:
                    uploaded = _upload_with_formats(cloud, found, file, options)
        except KeyboardInterrupt as exc:
            raise Interrupted(f"image {found.id} is queued again; the same command starts over.") from exc
    print_image(out, uploaded)


def _planned(image: Image, file: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the step of ``--dry-run``. The file is checked as an upload checks it; standard input is not read."""
    from ecl.image._transfer.check import check_queued

    check_queued(image)
    formats = check_file(file, arguments, {name: getattr(image, name) for name in _CHECKED})
    return step("upload", image, f"{'standard input' if file == '-' else file}; {changed(formats)}")


def _upload_with_formats(cloud: Cloud, image: Image, file: str, arguments: dict[str, Any]) -> Image:
    """Set the formats, then upload: the cloud refuses data for an image without formats."""
    from ecl.image._transfer.check import check_source
    from ecl.image._transfer.expand import expanded_if
    from ecl.image._transfer.source import Source
    from ecl.image.transfer import UploadOptions
    from ecl.image.transfer import upload as send

    options = UploadOptions.of(**arguments)
    with Source(read_from(file)) as opened:
        source = expanded_if(options, opened)
        formats = {
            "container_format": image.container_format or "bare",
            "disk_format": image.disk_format or source.inspect().disk_format,
        }
        if image.image_status == "queued":
            check_source(source, options, image.disk_format, formats["container_format"], image.min_disk)
            image = cloud.image.update_image(image, formats)
        return send(cloud.session, image, source, options)
