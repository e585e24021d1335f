"""``ecl serve project``: the projects (tenants) of the embedded service."""

from __future__ import annotations

from pathlib import Path

import click

from ecl.cli.serve._administrators import confirm_loss, yes_option
from ecl.cli.serve._service import opened_identity, print_table, service_options

__all__ = ["project"]


@click.group()
def project() -> None:
    """Create, list and delete projects (tenants)."""


@project.command()
@click.argument("name")
@click.option("--region", required=True, help="Region of the project.")
@service_options
@click.pass_context
def create(ctx: click.Context, name: str, region: str, data_dir: Path | None, config: Path | None) -> None:
    """Create the project NAME and print its ID."""
    with opened_identity(ctx, data_dir, config) as (database, settings):
        from ecl.server.identity.local import directory
        from ecl.server.process.first_start import known_regions

        with database.write() as connection:
            regions = known_regions(connection, settings)
            if region not in regions:
                raise click.UsageError(f"There is no region {region!r}; there are {', '.join(sorted(regions))}.")
            created = directory.create_project(connection, name, region)
    click.echo(f"Created project {created.name} in region {created.region}.", err=True)
    click.echo(created.id)


@project.command("list")
@service_options
@click.pass_context
def list_projects(ctx: click.Context, data_dir: Path | None, config: Path | None) -> None:
    """List projects with their regions."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        with database.read() as connection:
            rows = [(found.name, found.id, found.region) for found in directory.list_projects(connection)]
    print_table(("NAME", "ID", "REGION"), rows)


@project.command()
@click.argument("name")
@yes_option
@service_options
@click.pass_context
def delete(ctx: click.Context, name: str, yes: bool, data_dir: Path | None, config: Path | None) -> None:
    """Delete the project NAME with its roles and tokens. Its images stay, visible to admins."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory
        from ecl.server.identity.local.internal_user import SERVICE_PROJECT

        confirm_loss(database, yes, project=name)
        with database.write() as connection:
            found = directory.find_project(connection, name)
            if found.name == SERVICE_PROJECT:
                raise click.ClickException(f"The project {SERVICE_PROJECT} is the service's own: it cannot be deleted.")
            directory.delete_project(connection, found)
    click.echo(f"Deleted project {name}.", err=True)
