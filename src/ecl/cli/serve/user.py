"""``ecl serve user``: the users of the embedded service, and their roles on projects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ecl.cli.serve._administrators import confirm_loss, yes_option
from ecl.cli.serve._service import opened_identity, print_table, service_options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ecl.server.identity.local.directory import User

__all__ = ["user"]

C = TypeVar("C", bound=Callable[..., object])


@click.group()
def user() -> None:
    """Create, list and delete users; set passwords; grant and revoke roles."""


def _password_options(command: C) -> C:
    file = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
    command = click.option("--generate", is_flag=True, help="Generate a password and print it once.")(command)
    return click.option(
        "--password-file", type=file, help="Read the password from the first line of a file; - is standard input."
    )(command)


def _password(password_file: Path | None, generate: bool) -> str:
    """Return the password to set. It is never an argument, which other users of the machine could see."""
    if generate and password_file is not None:
        raise click.UsageError("Use either --generate or --password-file.")
    if generate:
        from ecl.server.identity.local.passwords import generate_password

        return generate_password()
    if password_file is not None:
        with click.open_file(str(password_file), encoding="utf-8") as file:
            line: str = file.readline()
        return line.rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for the password: use --generate or --password-file.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@user.command()
@click.argument("name")
@_password_options
@service_options
@click.pass_context
def create(
    ctx: click.Context,
    name: str,
    password_file: Path | None,
    generate: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Create the user NAME. It can do nothing until `ecl serve user grant` gives it a role."""
    with opened_identity(ctx, data_dir, config) as (database, settings):
        from ecl.server.identity.local import directory

        password = _password(password_file, generate)
        with database.write() as connection:
            created = directory.create_user(connection, name, password, settings.password_cost)
    click.echo(f"Created user {created.name} ({created.id}).", err=True)
    if generate:
        click.echo(password)


@user.command("set-password")
@click.argument("name")
@_password_options
@service_options
@click.pass_context
def set_password(
    ctx: click.Context,
    name: str,
    password_file: Path | None,
    generate: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Set a new password for the user NAME, and revoke all tokens of that user."""
    with opened_identity(ctx, data_dir, config) as (database, settings):
        from ecl.server.identity.local import directory

        password = _password(password_file, generate)
        with database.write() as connection:
            directory.set_password(connection, _person(connection, name), password, settings.password_cost)
    click.echo(f"Changed the password of {name}.", err=True)
    if generate:
        click.echo(password)


@user.command("list")
@service_options
@click.pass_context
def list_users(ctx: click.Context, data_dir: Path | None, config: Path | None) -> None:
    """List users with their roles."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        with database.read() as connection:
            names = {project.id: project.name for project in directory.list_projects(connection)}
            rows = []
            for person in directory.list_users(connection):
                granted = directory.list_assignments(connection, user_id=person.id)
                roles = ", ".join(sorted(f"{role} on {names[project]}" for project, role in granted))
                rows.append((person.name, person.id, roles))
    print_table(("NAME", "ID", "ROLES"), rows)


@user.command()
@click.argument("name")
@yes_option
@service_options
@click.pass_context
def delete(ctx: click.Context, name: str, yes: bool, data_dir: Path | None, config: Path | None) -> None:
    """Delete the user NAME with all roles, tokens and application credentials."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        confirm_loss(database, yes, user=name)
        with database.write() as connection:
            directory.delete_user(connection, _person(connection, name))
    click.echo(f"Deleted user {name}.", err=True)


@user.command()
@click.argument("name")
@click.argument("role")
@click.argument("project")
@service_options
@click.pass_context
def grant(ctx: click.Context, name: str, role: str, project: str, data_dir: Path | None, config: Path | None) -> None:
    """Give the user NAME the ROLE (admin, member, reader or service) on PROJECT."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        with database.write() as connection:
            found = directory.find_project(connection, project)
            directory.grant_role(connection, _person(connection, name), role, found)
    click.echo(f"User {name} has the role {role} on {found.name}.", err=True)


@user.command()
@click.argument("name")
@click.argument("role")
@click.argument("project")
@yes_option
@service_options
@click.pass_context
def revoke(
    ctx: click.Context, name: str, role: str, project: str, yes: bool, data_dir: Path | None, config: Path | None
) -> None:
    """Remove the ROLE on PROJECT from the user NAME."""
    with opened_identity(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        if role == "admin":
            confirm_loss(database, yes, user=name, project=project)
        with database.write() as connection:
            found = directory.find_project(connection, project)
            directory.revoke_role(connection, _person(connection, name), role, found)
    click.echo(f"User {name} no longer has the role {role} on {found.name}.", err=True)


def _person(connection: Connection, name: str) -> User:
    """Return the user *name*. Raises ClickException if it is the service's own user."""
    from ecl.server.identity.local import directory
    from ecl.server.identity.local.internal_user import REPLICATOR

    found = directory.find_user(connection, name)
    if found.name == REPLICATOR:
        raise click.ClickException(f"The user {REPLICATOR} is the service's own: it cannot be changed.")
    return found
