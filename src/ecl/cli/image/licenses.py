"""``ecl image license list``: the licence switch types of ECL."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing

__all__ = ["license_list"]


@click.command("list", cls=Command)
@listing
@pass_cloud
def license_list(cloud: Cloud, out: Output) -> None:
    """List the licence switch types of the region."""
    names = (name for license in cloud.image.licenses() for name in license.license_switch_types or ())
    out.rows([Column("license_switch_type", "License Switch Type")], ({"license_switch_type": name} for name in names))
