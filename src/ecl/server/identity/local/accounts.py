"""Projects and roles of the database."""

from __future__ import annotations

from ecl.server import threads
from ecl.server.db.engine import Database
from ecl.server.identity.accounts import Project
from ecl.server.identity.local import directory
from ecl.server.identity.local.internal_user import internal_token
from ecl.server.identity.roles import expand_roles

__all__ = ["LocalAccounts"]


class LocalAccounts:
    """Projects and roles of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def in_thread(self) -> threads.Run:
        """Runs a function in a thread for queries."""
        return threads.query

    def project(self, project_id: str) -> Project | None:
        """Return the project; None if there is none."""
        with self._database.read() as connection:
            found = directory.get_project(connection, id=project_id)
        return None if found is None else Project(found.enabled, found.region or None)

    def roles(self, user_id: str, project_id: str) -> frozenset[str]:
        """Return the roles of a user on a project; none if one of the two is disabled."""
        with self._database.read() as connection:
            user, project = directory.get_user(connection, id=user_id), directory.get_project(connection, id=project_id)
            if user is None or project is None or not (user.enabled and project.enabled):
                return frozenset()
            return frozenset(expand_roles(directory.granted_roles(connection, user_id, project_id)))

    def own_token(self) -> tuple[str, int]:
        """Return a token of the service's own user."""
        return internal_token(self._database)
