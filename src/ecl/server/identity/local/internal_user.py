"""The service's own user: it copies images between regions, and has no password."""

from __future__ import annotations

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS, now
from ecl.server.db.engine import Database
from ecl.server.identity.local import directory
from ecl.server.identity.local.tokens import issue_token

__all__ = ["REPLICATOR", "SERVICE_PROJECT", "create_internal_user", "internal_token"]

#: The user, and its project, which belongs to no region.
REPLICATOR, SERVICE_PROJECT = "replicator", "service"


def create_internal_user(connection: Connection) -> None:
    """Create the user with the role admin on its project."""
    user = directory.create_user(connection, REPLICATOR, None)
    project = directory.create_project(connection, SERVICE_PROJECT, region="")
    directory.grant_role(connection, user, "admin", project)


def internal_token(database: Database, lifetime: int = 3600) -> tuple[str, int]:
    """
    Return a new token of the service's own user, with the role admin, and when it expires.

    Args:
        lifetime: Seconds.

    Returns:
        The token's text, and microseconds since the epoch.
    """
    expires_at = now() + lifetime * MICROSECONDS
    with database.write() as connection:
        user = directory.find_user(connection, REPLICATOR)
        project = directory.find_project(connection, SERVICE_PROJECT)
        return issue_token(connection, user, project, methods=["password"], expires_at=expires_at), expires_at
