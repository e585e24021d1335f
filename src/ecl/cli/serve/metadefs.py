"""``ecl serve metadefs``: the metadata definitions of the embedded service."""

from __future__ import annotations

from pathlib import Path

import click

from ecl.cli.serve._service import opened, service_options

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

        served = [region.name for region in settings.regions if not region.is_remote]
        for name in regions:
            if name not in served:
                raise click.UsageError(f"There is no region {name!r}; there are {', '.join(served)}.")
        for name in regions or served:
            loaded = load_metadefs(database, name, folder, replace=replace)
            click.echo(
                f"Region {name}: {len(loaded.added)} added, {len(loaded.replaced)} replaced, {len(loaded.kept)} kept."
            )
