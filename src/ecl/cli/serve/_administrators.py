"""Ask before the service loses its last administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from ecl.cli._confirm import confirm

if TYPE_CHECKING:
    from ecl.server.db.engine import Database

__all__ = ["confirm_loss", "yes_option"]

C = TypeVar("C", bound=Callable[..., object])


def yes_option(command: C) -> C:
    """Add ``--yes``."""
    text = "Do not ask for confirmation, even if this was the last administrator."
    return click.option("-y", "--yes", is_flag=True, help=text)(command)


def confirm_loss(database: Database, yes: bool, *, user: str | None = None, project: str | None = None) -> None:
    """
    Ask before the role admin goes from a user, from a project, or from a user on a project, if no user is left with it.

    Args:
        yes: True if ``--yes`` was given: do not ask.
        user: Name or ID of the user; None: all.
        project: Name or ID of the project; None: all.

    Raises:
        ClickException: The user answered no, or there is no terminal to ask on.
        NotFound: There is no such user or project.
    """
    from ecl.server.identity.local import directory
    from ecl.server.identity.local.internal_user import REPLICATOR

    with database.read() as connection:
        user_id = directory.find_user(connection, user).id if user else None
        project_id = directory.find_project(connection, project).id if project else None
        administrators = [
            (person.id, place)
            for person in directory.list_users(connection)
            if person.name != REPLICATOR
            for place, role in directory.list_assignments(connection, user_id=person.id)
            if role == "admin"
        ]
    left = [pair for pair in administrators if user_id not in (None, pair[0]) or project_id not in (None, pair[1])]
    if administrators and not left:
        confirm("This removes the last administrator of the service. Go on?", yes)
