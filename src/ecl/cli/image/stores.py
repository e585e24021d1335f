"""``ecl image stores``: the stores of the cloud."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing

__all__ = ["stores"]


@click.command(cls=Command)
@click.option("--detail", is_flag=True, help="Show the settings of each store (administrators).")
@listing
@pass_cloud
def stores(cloud: Cloud, out: Output, *, detail: bool) -> None:
    """List the stores of the cloud."""
    columns = [Column("id", "ID"), Column("description", "Description"), Column("default", "Default")]
    if detail:
        columns += [Column("type", "Type"), Column("weight", "Weight"), Column("properties", "Properties")]
    rows = ({**dict(store), "default": store.is_default} for store in cloud.image.stores(details=detail))
    out.rows(columns, rows)
