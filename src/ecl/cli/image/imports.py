"""``ecl image stage`` and ``import``: let the cloud import data from its staging area, the web or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._completion import starting_with
from ecl.cli._errors import Interrupted
from ecl.cli._numbers import Seconds
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli._suggest import Choice
from ecl.cli.image._advice import force_advice, format_advice
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import IMAGE, find, image_argument, newest_option
from ecl.cli.image._options import upload_options
from ecl.cli.image._record import FIELDS, print_image
from ecl.cli.image.create import read_from

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["import_image", "import_info", "stage"]

_METHODS = ("glance-direct", "web-download", "glance-download", "copy-image")


@click.command(cls=Command, columns=FIELDS)
@image_argument
@newest_option
@click.option("--file", "file", type=click.Path(), required=True, help="File to upload; - reads standard input.")
@upload_options
@progress_option
@showing
@pass_cloud
def stage(cloud: Cloud, out: Output, *, image: str, newest: bool, file: str, progress: str, **options: Any) -> None:
    """Upload data to the staging area of an image, for a later import."""
    found = find(cloud, image, newest)
    with meter(progress, "stage", found.name or image) as at:
        try:
            with force_advice():
                staged = cloud.image.stage_image(found, read_from(file), progress=at, **options)
        except KeyboardInterrupt as exc:
            raise Interrupted(f"image {found.id} is queued again; the same command starts over.") from exc
    print_image(out, staged)


def _image_or_info(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching images, and the word info: it makes another command."""
    from ecl.cli.image._completion import complete

    return starting_with(["info"], incomplete) + complete(ctx, param, incomplete)


@click.command("import", cls=Command, columns=FIELDS)
@click.argument("image", type=IMAGE, shell_complete=_image_or_info)
@newest_option
@click.option(
    "--method",
    type=Choice(*_METHODS),
    default="glance-direct",
    metavar="METHOD",
    help=f"Source of the data: {', '.join(_METHODS)}.  [glance-direct: from the staging area]",
)
@click.option("--uri", metavar="URL", help="Address of the data, for web-download.")
@click.option("--remote-image", metavar="ID", help="Image to fetch, for glance-download.")
@click.option("--remote-region", metavar="NAME", help="Region to fetch the image from, for glance-download.")
@click.option(
    "--remote-service-interface", metavar="NAME", help="Endpoint interface of that region: public, internal or admin."
)
@click.option("--store", "names", multiple=True, metavar="STORE", help="Put the data into this store; repeatable.")
@click.option("--all-stores", is_flag=True, default=None, help="Put the data into every store.")
@click.option(
    "--allow-failure/--disallow-failure",
    "allow_failure",
    default=None,
    help="Succeed if at least one store took the data, or only if all took it.",
)
@click.option("--wait", is_flag=True, help="Wait until the image is active.")
@click.option(
    "--timeout",
    type=Seconds(),
    default=3600,
    metavar="SECONDS",
    help="Most seconds to wait; the import continues afterwards.  [3600]",
)
@dry_run_option
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
    dry_run: bool,
    **source: Any,
) -> None:
    """
    Let the cloud fetch the data of an image: from the staging area, the web, another region or another store.

    The image needs a disk format and a container format.

    \b
    Examples:
      ecl image create debian-13 --disk-format qcow2 --container-format bare
      ecl image import debian-13 --method web-download --uri https://images.example/debian-13.qcow2 --wait
    """
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [step("import", found, _described(remote_image=remote_image, stores=names, **source))])
        return
    with format_advice(found):
        cloud.image.import_image(
            found,
            stores=list(names) or None,
            remote_image_id=remote_image,
            all_stores_must_succeed=None if allow_failure is None else not allow_failure,
            **source,
        )
    if wait:
        try:
            cloud.image.wait_for_image(found, wait=timeout)
        except KeyboardInterrupt as exc:
            raise Interrupted(f"the import goes on; see `ecl image show {found.id}`.") from exc
    print_image(out, cloud.image.get_image(found))


def _described(*, method: str, stores: Sequence[str], all_stores: bool | None, **source: str | None) -> str:
    """Return where the data of an import comes from and where it goes, in words."""
    words = [f"by {method}", *(f"from {value}" for value in source.values() if value)]
    words += [f"to {', '.join(stores)}"] if stores else ["to every store"] if all_stores else []
    return " ".join(words)


@click.command("info", cls=Command)
@listing
@pass_cloud
def import_info(cloud: Cloud, out: Output) -> None:
    """
    List the import methods of the cloud.

    To import an image named info: ecl image import -- info
    """
    methods = cloud.image.get_import_info().methods
    out.rows([Column("method", "Method")], [{"method": method} for method in methods])
