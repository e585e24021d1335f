"""``ecl image store list`` and ``remove``: the stores of the cloud."""

from __future__ import annotations

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing
from ecl.cli.image._find import find, image_argument, newest_option

__all__ = ["store_list", "store_remove"]


@click.command("list", cls=Command)
@click.option("--detail", is_flag=True, help="Show the settings of each store (administrators).")
@listing
@pass_cloud
def store_list(cloud: Cloud, out: Output, *, detail: bool) -> None:
    """List the stores of the cloud."""
    columns = [Column("id", "ID"), Column("description", "Description"), Column("default", "Default")]
    if detail:
        columns += [Column("type", "Type"), Column("weight", "Weight"), Column("properties", "Properties")]
    rows = ({**dict(store), "default": store.is_default} for store in cloud.image.stores(details=detail))
    out.rows(columns, rows)


@click.command("remove", cls=Command)
@image_argument
@click.argument("store", metavar="STORE")
@newest_option
@pass_cloud
def store_remove(cloud: Cloud, *, image: str, store: str, newest: bool) -> None:
    """Delete the data of an image from one store. It must be in another store, too."""
    cloud.image.delete_image_from_store(find(cloud, image, newest), store, ignore_missing=False)
