"""``ecl image usage``: the usage and the limits of the project."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing

__all__ = ["usage"]

_COLUMNS = [Column("quota", "Quota"), Column("usage", "Usage"), Column("limit", "Limit"), Column("unit", "Unit")]
_UNITS = {
    "image_size_total": "MiB",
    "image_stage_total": "MiB",
    "image_count_total": "images",
    "image_count_uploading": "images",
}


@click.command(cls=Command, columns=_COLUMNS)
@listing
@pass_cloud
def usage(cloud: Cloud, out: Output) -> None:
    """Show the quotas of the project: usage and limit. The limit -1 means unlimited; without quotas, no row."""
    found = dict(cloud.image.usage())
    rows = [{"quota": name, "unit": unit, **found[name]} for name, unit in _UNITS.items() if found.get(name)]
    out.rows(_COLUMNS, rows)
