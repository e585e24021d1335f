"""``ecl serve user``: who can log in at the embedded service, and what they may do where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from ecl.cli._serve import opened, print_table, service_options

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
    command = click.option("--generate", is_flag=True, help="Make up a password and print it once.")(command)
    return click.option(
        "--password-file", type=file, help="Read the password from the first line of a file; - is standard input."
    )(command)


def _password(password_file: Path | None, generate: bool) -> str:
    """Return the password to set. It is never an argument: other users of the machine can see those."""
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
        raise click.UsageError("There is no terminal to ask for a password: use --generate or --password-file.")
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
    """Create the user NAME, who can do nothing before `ecl serve user grant`."""
    with opened(ctx, data_dir, config) as (database, settings):
        from ecl.server.identity.local import directory

        password = _password(password_file, generate)
        with database.write() as connection:
            made = directory.create_user(connection, name, password, settings.password_cost)
    click.echo(f"Created user {made.name} ({made.id}).", err=True)
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
    """Give the user NAME a new password, and end all of the user's tokens."""
    with opened(ctx, data_dir, config) as (database, settings):
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
    with opened(ctx, data_dir, config) as (database, _):
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
@service_options
@click.pass_context
def delete(ctx: click.Context, name: str, data_dir: Path | None, config: Path | None) -> None:
    """Delete the user NAME with all roles, tokens and application credentials."""
    with opened(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

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
    with opened(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        with database.write() as connection:
            found = directory.find_project(connection, project)
            directory.grant_role(connection, _person(connection, name), role, found)
    click.echo(f"User {name} has the role {role} on {found.name}.", err=True)


@user.command()
@click.argument("name")
@click.argument("role")
@click.argument("project")
@service_options
@click.pass_context
def revoke(ctx: click.Context, name: str, role: str, project: str, data_dir: Path | None, config: Path | None) -> None:
    """Take the ROLE on PROJECT from the user NAME."""
    with opened(ctx, data_dir, config) as (database, _):
        from ecl.server.identity.local import directory

        with database.write() as connection:
            found = directory.find_project(connection, project)
            directory.revoke_role(connection, _person(connection, name), role, found)
    click.echo(f"User {name} does not have the role {role} on {found.name} any more.", err=True)


def _person(connection: Connection, name: str) -> User:
    """Return the user *name*, who is not the service's own."""
    from ecl.server.identity.local import directory
    from ecl.server.identity.local.internal_user import REPLICATOR

    found = directory.find_user(connection, name)
    if found.name == REPLICATOR:
        raise click.ClickException(f"The user {REPLICATOR} is the service's own: it cannot be changed.")
    return found
