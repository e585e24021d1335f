"""What no request may do to users and projects, not even an administrator's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from ecl.server.db.identity_schema import projects, role_assignments, users
from ecl.server.errors import Forbidden
from ecl.server.identity.local.directory import Project, User
from ecl.server.identity.local.internal_user import REPLICATOR, SERVICE_PROJECT
from ecl.server.identity.local.passwords import NO_PASSWORD

__all__ = ["check_not_internal", "keeping_an_administrator"]

_ADMINISTRATORS = (
    select(users.c.id)
    .join(role_assignments, role_assignments.c.user_id == users.c.id)
    .join(projects, projects.c.id == role_assignments.c.project_id)
    .where(
        role_assignments.c.role == "admin", users.c.enabled, users.c.password_hash != NO_PASSWORD, projects.c.enabled
    )
    .limit(1)
)


def check_not_internal(user: User | None = None, project: Project | None = None) -> None:
    """
    Check that neither is the service's own, which copies between regions need.

    Raises:
        Forbidden: One of them is.
    """
    if user is not None and user.name == REPLICATOR:
        raise Forbidden(f"The user {REPLICATOR} is the service's own: it cannot be changed.")
    if project is not None and project.name == SERVICE_PROJECT:
        raise Forbidden(f"The project {SERVICE_PROJECT} is the service's own: it cannot be changed.")


@contextmanager
def keeping_an_administrator(connection: Connection) -> Iterator[None]:
    """
    Refuse a change after which no administrator could log in any more; its transaction is rolled back.

    Without one, nobody could repair that by the API, and a client far away has no other way. ``ecl serve user``
    is not refused this: who may run it can also add an administrator.

    Raises:
        Forbidden: None would be left.
    """
    yield
    if connection.execute(_ADMINISTRATORS).first() is None:
        raise Forbidden("This would leave no administrator who can log in: give another user the role admin first.")
