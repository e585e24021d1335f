"""``ecl image stage`` and ``import``: data that the cloud takes from the staging area, the web, or elsewhere."""

from __future__ import annotations

from typing import Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._errors import Interrupted
from ecl.cli._output import Output, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli._suggest import Choice
from ecl.cli.image._find import find, image_argument, newest_option
from ecl.cli.image._record import print_image
from ecl.cli.image.create import read_from

__all__ = ["import_image", "stage"]

_METHODS = ("glance-direct", "web-download", "glance-download", "copy-image")


@click.command(cls=Command)
@image_argument
@newest_option
@click.option("--file", "file", type=click.Path(), required=True, help="File to send; - reads standard input.")
@click.option("--size", type=click.IntRange(0), metavar="BYTES", help="Bytes to come from standard input.")
@progress_option
@showing
@pass_cloud
def stage(cloud: Cloud, out: Output, *, image: str, newest: bool, file: str, size: int | None, progress: str) -> None:
    """Send the data of an image to the staging area, from where import takes it."""
    found = find(cloud, image, newest)
    with meter(progress, "stage", found.name or image) as at:
        try:
            staged = cloud.image.stage_image(
                found, read_from(file), progress=lambda done, total: at(done, total or size)
            )
        except KeyboardInterrupt as exc:
            raise Interrupted(f"image {found.id} is queued again; the same command begins anew.") from exc
    print_image(out, staged)


@click.command("import", cls=Command)
@image_argument
@newest_option
@click.option(
    "--method",
    type=Choice(*_METHODS),
    default="glance-direct",
    metavar="METHOD",
    help=f"{', '.join(_METHODS)}.  [glance-direct: what was staged]",
)
@click.option("--uri", metavar="URL", help="Where the data is, for web-download.")
@click.option("--remote-image", metavar="ID", help="The image to fetch, for glance-download.")
@click.option("--remote-region", metavar="NAME", help="The region to fetch it from, for glance-download.")
@click.option("--remote-service-interface", metavar="NAME", help="Which interface of it: public, internal, admin.")
@click.option("--store", "names", multiple=True, metavar="STORE", help="A store that gets the data; repeatable.")
@click.option("--all-stores", is_flag=True, default=None, help="Every store gets the data.")
@click.option(
    "--allow-failure/--disallow-failure", "allow_failure", default=None, help="Is one store that took the data enough?"
)
@click.option("--wait", is_flag=True, help="Wait until the image is there.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=3600,
    metavar="SECONDS",
    help="How long to wait; the import goes on then.  [3600]",
)
@showing
@pass_cloud
def import_image(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    newest: bool,
    names: tuple[str, ...],
    remote_image: str | None,
    allow_failure: bool | None,
    wait: bool,
    timeout: float,
    **how: Any,
) -> None:
    """Have the cloud bring the data of an image: from the staging area, the web, another region, or another store."""
    found = find(cloud, image, newest)
    cloud.image.import_image(
        found,
        stores=list(names) or None,
        remote_image_id=remote_image,
        all_stores_must_succeed=None if allow_failure is None else not allow_failure,
        **how,
    )
    if wait:
        try:
            cloud.image.wait_for_image(found, wait=timeout)
        except KeyboardInterrupt as exc:
            raise Interrupted(f"the import goes on; see `ecl image show {found.id}`.") from exc
    print_image(out, cloud.image.get_image(found))
