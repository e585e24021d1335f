"""``ecl serve metadefs``: the metadata definitions of the embedded service."""

from __future__ import annotations

from pathlib import Path

import click

from ecl.cli.serve._service import chosen_regions, opened, service_options

__all__ = ["metadefs"]


@click.group()
def metadefs() -> None:
    """Load metadata definitions."""


@metadefs.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME",
    help="Load into this region; repeatable.  [all served]",
)
@click.option("--replace", is_flag=True, help="Replace namespaces that exist.")
@service_options
@click.pass_context
def load(
    ctx: click.Context,
    folder: Path,
    regions: tuple[str, ...],
    replace: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Load the namespaces in the JSON files of FOLDER, which have the format of Glance's own files."""
    with opened(ctx, data_dir, config) as (database, settings):
        from ecl.server.db.metadefs_load import load_metadefs

        for name in chosen_regions(settings, regions):
            loaded = load_metadefs(database, name, folder, replace=replace)
            click.echo(
                f"Region {name}: {len(loaded.added)} added, {len(loaded.replaced)} replaced, {len(loaded.kept)} kept."
            )
