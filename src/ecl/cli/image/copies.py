"""``ecl image copy`` and ``copy-job …``: ECL's copies between regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._errors import Interrupted
from ecl.cli._numbers import Seconds
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli._progress import meter, progress_option
from ecl.cli.image._completion import complete_jobs
from ecl.cli.image._dry_run import dry_run_option, print_steps, step
from ecl.cli.image._find import find, image_argument, newest_option

if TYPE_CHECKING:
    from ecl.image.v2.image_copy import ImageCopy

__all__ = ["copy", "copy_job_cancel", "copy_job_list", "copy_job_show"]

# What a narrow table leaves out first.
_EXTRA = {
    "source_tenant_id": 5, "source_region_id": 4, "source_image_name": 2, "destination_region_id": 3,
    "destination_tenant_id": 1, "destination_image_id": 1, "source_image_id": 1,
}  # fmt: skip
_FIELDS = [
    Column(name, name.replace("_", " ").title().replace("Id", "ID"), extra=_EXTRA.get(name, 0))
    for name in (
        "job_id", "status", "copy_progress", "source_image_id", "source_image_name", "source_region_id",
        "source_tenant_id", "destination_image_id", "destination_region_id", "destination_tenant_id",
    )
]  # fmt: skip
_COLUMNS = [column for column in _FIELDS if column.key in (
    "job_id", "status", "copy_progress", "source_image_id", "destination_image_id", "destination_tenant_id",
)]  # fmt: skip


@click.command(cls=Command, columns=_FIELDS)
@image_argument
@click.argument("tenant", metavar="TENANT")
@newest_option
@click.option("--wait", is_flag=True, help="Wait until the copy is complete.")
@click.option(
    "--timeout",
    type=Seconds(),
    default=3600,
    metavar="SECONDS",
    help="Most seconds to wait; the copy continues afterwards.  [3600]",
)
@dry_run_option
@progress_option
@showing
@pass_cloud
def copy(
    cloud: Cloud,
    out: Output,
    *,
    image: str,
    tenant: str,
    newest: bool,
    wait: bool,
    timeout: float,
    dry_run: bool,
    progress: str,
) -> None:
    """
    Copy an image to a tenant in another region.

    TENANT is the ID of the tenant that receives the copy. It also determines the region.

    \b
    Examples:
      ecl image copy debian-13 0123456789abcdef0123456789abcdef --wait
    """
    found = find(cloud, image, newest)
    if dry_run:
        print_steps(out, [step("copy", found, f"to tenant {tenant}")])
        return
    job = cloud.image.copy_image(found, tenant)
    if wait:
        with meter(progress, "copy", found.name or image, "percent") as at:
            try:
                cloud.image.wait_for_image_copy(
                    job, progress=lambda percent: at(percent, 100), interval=0.5, wait=timeout
                )
            except KeyboardInterrupt as exc:
                raise Interrupted(
                    f"the copy goes on; see `ecl image copy-job show {job.job_id}`, or end it by `copy-job cancel`."
                ) from exc
    out.fields(_record(cloud.image.get_image_copy_job(str(job.job_id))), _FIELDS)


@click.command("list", cls=Command, columns=_FIELDS)
@click.option("--long", "is_long", is_flag=True, help="Show all columns.")
@listing
@pass_cloud
def copy_job_list(cloud: Cloud, out: Output, *, is_long: bool) -> None:
    """List the project's copy jobs."""
    jobs = cloud.image.list_image_copy_jobs()
    out.rows(_FIELDS if is_long else _COLUMNS, (_record(job) for job in jobs))


@click.command("show", cls=Command, columns=_FIELDS)
@click.argument("job", metavar="JOB", shell_complete=complete_jobs)
@showing
@pass_cloud
def copy_job_show(cloud: Cloud, out: Output, *, job: str) -> None:
    """Show a copy job. JOB is its ID."""
    out.fields(_record(cloud.image.get_image_copy_job(job)), _FIELDS)


@click.command("cancel", cls=Command, columns=_FIELDS)
@click.argument("job", metavar="JOB", shell_complete=complete_jobs)
@showing
@pass_cloud
def copy_job_cancel(cloud: Cloud, out: Output, *, job: str) -> None:
    """Cancel a copy job and show it. The cloud deletes the half-made image."""
    cloud.image.cancel_copy_image(job)
    out.fields(_record(cloud.image.get_image_copy_job(job)), _FIELDS)


def _record(job: ImageCopy) -> dict[str, Any]:
    return dict(job)
