"""
Users, projects and role assignments in the database.

Every function takes a connection in a transaction; to change something it must come from ``Database.write()``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ecl.server.clock import now
from ecl.server.db.identity_schema import projects, role_assignments, tokens, users
from ecl.server.errors import BadRequest, Conflict, NotFound
from ecl.server.identity.local.passwords import COST, NO_PASSWORD, hash_password
from ecl.server.identity.roles import ROLES

__all__ = [
    "Project",
    "User",
    "add_user",
    "create_project",
    "create_user",
    "delete_project",
    "delete_user",
    "find_project",
    "find_user",
    "get_project",
    "get_user",
    "grant_role",
    "granted_roles",
    "list_assignments",
    "list_projects",
    "list_roles",
    "list_users",
    "password_hash",
    "projects_of_user",
    "replace_hash",
    "revoke_role",
    "set_hash",
    "set_password",
    "update_project",
    "update_user",
]


@dataclass(frozen=True, slots=True)
class User:
    """A user who can log in."""

    id: str
    name: str
    enabled: bool
    #: The project of a login that names none.
    default_project_id: str | None = field(default=None, compare=False)
    #: What else a client has stored with the user: description, email ... A token's user comes without it.
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Project:
    """A project owns images; ECL calls it a tenant. Its *region* is "" if it is not tied to one region."""

    id: str
    name: str
    region: str
    enabled: bool
    #: As of a user.
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False)


_USER = select(users.c.id, users.c.name, users.c.enabled, users.c.default_project_id, users.c.extra)
_PROJECT = select(projects.c.id, projects.c.name, projects.c.region, projects.c.enabled, projects.c.extra)


# --- users --------------------------------------------------------------------------------------------------


def create_user(connection: Connection, name: str, password: str | None, cost: int = COST) -> User:
    """
    Add a user who can log in with *password*, and has no role anywhere yet.

    Args:
        password: None for a user who never logs in by password.
        cost: ``password_cost`` of the settings.

    Raises:
        BadRequest: The name or the password cannot be used.
        Conflict: A user has this name.
    """
    _check_name("user", name)
    return add_user(connection, name, _hashed(password, cost))


def add_user(
    connection: Connection,
    name: str,
    password_hash: str,
    *,
    enabled: bool = True,
    default_project_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> User:
    """
    Add a user with the hash of a password, and what else is stored with them.

    Raises:
        BadRequest: The name cannot be used.
        Conflict: A user has this name.
    """
    _check_name("user", name)
    user = User(uuid.uuid4().hex, name, enabled, default_project_id, extra or {})
    row = {"id": user.id, "password_hash": password_hash, "created_at": now(), **_user_row(user)}
    with _unique("user", name):
        connection.execute(insert(users).values(row))
    return user


def update_user(connection: Connection, user: User) -> None:
    """
    Store *user* as it is now. Disabling it revokes its tokens for good, as in Keystone.

    Raises:
        BadRequest: The name cannot be used.
        Conflict: Another user has this name.
    """
    _check_name("user", user.name)
    with _unique("user", user.name):
        connection.execute(update(users).where(users.c.id == user.id).values(_user_row(user)))
    if not user.enabled:
        connection.execute(delete(tokens).where(tokens.c.user_id == user.id))


def get_user(connection: Connection, *, id: str | None = None, name: str | None = None) -> User | None:
    """Return the user with this *id* or, without an ID, with this *name*; None if there is none."""
    condition = users.c.name == _searchable(name) if id is None else users.c.id == _searchable(id)
    return next(iter(_users(connection, _USER.where(condition))), None)


def lock_user(connection: Connection, user_id: str) -> None:
    """Let no other transaction that does the same go on until this one ends: for what has a cap for each user."""
    connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


def find_user(connection: Connection, name_or_id: str) -> User:
    """
    Return the user of this ID or name.

    Raises:
        NotFound: Nothing has it.
    """
    user = get_user(connection, id=name_or_id) or get_user(connection, name=name_or_id)
    if user is None:
        raise NotFound(f"There is no user {name_or_id!r}.")
    return user


def list_users(connection: Connection, name: str | None = None) -> list[User]:
    """Return all users, or the one of this *name*, by name."""
    query = _USER.order_by(users.c.name)
    return _users(connection, query if name is None else query.where(users.c.name == _searchable(name)))


def delete_user(connection: Connection, user: User) -> None:
    """Remove *user* with all roles, tokens and application credentials. Images stay with their projects."""
    connection.execute(delete(users).where(users.c.id == user.id))


def password_hash(connection: Connection, user: User) -> str:
    """Return the stored hash of the password of *user*."""
    return str(connection.execute(select(users.c.password_hash).where(users.c.id == user.id)).scalar_one())


def set_password(connection: Connection, user: User, password: str, cost: int = COST) -> None:
    """
    Give *user* a new password. This revokes all their tokens, as in Keystone.

    Args:
        cost: ``password_cost`` of the settings.

    Raises:
        BadRequest: The password cannot be used.
    """
    set_hash(connection, user, _hashed(password, cost))


def set_hash(connection: Connection, user: User, password_hash: str) -> None:
    """Give *user* the password of *password_hash*. This revokes all their tokens, as in Keystone."""
    connection.execute(update(users).where(users.c.id == user.id).values(password_hash=password_hash))
    connection.execute(delete(tokens).where(tokens.c.user_id == user.id))


def replace_hash(connection: Connection, user: User, before: str, after: str) -> None:
    """Store another hash of the same password, unless the password has changed since *before* was read."""
    changed = update(users).where(users.c.id == user.id, users.c.password_hash == before)
    connection.execute(changed.values(password_hash=after))


# --- projects -----------------------------------------------------------------------------------------------


def create_project(
    connection: Connection, name: str, region: str, *, enabled: bool = True, extra: Mapping[str, Any] | None = None
) -> Project:
    """
    Add a project that belongs to *region*, or with "" to all regions.

    Raises:
        BadRequest: The name cannot be used.
        Conflict: A project has this name.
    """
    _check_name("project", name)
    project = Project(uuid.uuid4().hex, name, region, enabled, extra or {})
    row = {"id": project.id, "region": region, "created_at": now(), **_project_row(project)}
    with _unique("project", name):
        connection.execute(insert(projects).values(row))
    return project


def update_project(connection: Connection, project: Project) -> None:
    """
    Store *project* as it is now. Disabling it revokes its tokens for good, as in Keystone.

    Raises:
        BadRequest: The name cannot be used.
        Conflict: Another project has this name.
    """
    _check_name("project", project.name)
    with _unique("project", project.name):
        connection.execute(update(projects).where(projects.c.id == project.id).values(_project_row(project)))
    if not project.enabled:
        connection.execute(delete(tokens).where(tokens.c.project_id == project.id))


def get_project(connection: Connection, *, id: str | None = None, name: str | None = None) -> Project | None:
    """Return the project with this *id* or, without an ID, with this *name*; None if there is none."""
    condition = projects.c.name == _searchable(name) if id is None else projects.c.id == _searchable(id)
    return next(iter(_projects(connection, _PROJECT.where(condition))), None)


def find_project(connection: Connection, name_or_id: str) -> Project:
    """
    Return the project of this ID or name.

    Raises:
        NotFound: Nothing has it.
    """
    project = get_project(connection, id=name_or_id) or get_project(connection, name=name_or_id)
    if project is None:
        raise NotFound(f"There is no project {name_or_id!r}.")
    return project


def list_projects(connection: Connection, name: str | None = None) -> list[Project]:
    """Return all projects, or those of this *name*, by name."""
    query = _PROJECT.order_by(projects.c.name)
    if name is not None:
        query = query.where(projects.c.name == _searchable(name))
    return _projects(connection, query)


def projects_of_user(connection: Connection, user_id: str) -> list[Project]:
    """Return the enabled projects on which a user has a role, by name."""
    project_ids = select(role_assignments.c.project_id).where(role_assignments.c.user_id == user_id)
    query = _PROJECT.where(projects.c.id.in_(project_ids), projects.c.enabled).order_by(projects.c.name)
    return _projects(connection, query)


def delete_project(connection: Connection, project: Project) -> None:
    """Remove *project* with its roles, tokens and application credentials. Its images stay, for administrators."""
    connection.execute(delete(projects).where(projects.c.id == project.id))
    orphaned = update(users).where(users.c.default_project_id == project.id)
    connection.execute(orphaned.values(default_project_id=None))


# --- roles --------------------------------------------------------------------------------------------------


def granted_roles(connection: Connection, user_id: str, project_id: str) -> list[str]:
    """Return the roles that are assigned to a user on a project, without the roles that these include."""
    return [role for _, role in list_assignments(connection, user_id=user_id, project_id=project_id)]


def list_assignments(connection: Connection, *, user_id: str, project_id: str | None = None) -> list[tuple[str, str]]:
    """Return pairs of project ID and role of a user, for one project or all."""
    return [(project, role) for _, project, role in list_roles(connection, user_id, project_id)]


def list_roles(
    connection: Connection, user_id: str | None = None, project_id: str | None = None
) -> list[tuple[str, str, str]]:
    """Return user ID, project ID and role of every assignment, or of those of one user, one project, or both."""
    columns = role_assignments.c
    query = select(columns.user_id, columns.project_id, columns.role)
    query = query.order_by(columns.user_id, columns.project_id, columns.role)
    if user_id is not None:
        query = query.where(columns.user_id == _searchable(user_id))
    if project_id is not None:
        query = query.where(columns.project_id == _searchable(project_id))
    return [(user, project, role) for user, project, role in connection.execute(query)]


def grant_role(connection: Connection, user: User, role: str, project: Project) -> None:
    """
    Give *user* a role on *project*; nothing happens if they have it already.

    Raises:
        BadRequest: There is no such role.
    """
    _check_role(role)
    lock_user(connection, user.id)
    if role not in granted_roles(connection, user.id, project.id):
        row = {"user_id": user.id, "project_id": project.id, "role": role}
        connection.execute(insert(role_assignments).values(row))


def revoke_role(connection: Connection, user: User, role: str, project: Project) -> None:
    """
    Take a role on *project* from *user*; their tokens lose it at once, too.

    Raises:
        BadRequest: There is no such role.
        NotFound: The user does not have it.
    """
    _check_role(role)
    columns = role_assignments.c
    removed = connection.execute(
        delete(role_assignments).where(
            columns.user_id == user.id, columns.project_id == project.id, columns.role == role
        )
    )
    if not removed.rowcount:
        raise NotFound(f"User {user.name!r} does not have the role {role} on project {project.name!r}.")


# --- shared -------------------------------------------------------------------------------------------------


def _users(connection: Connection, query: Select[Any]) -> list[User]:
    rows = connection.execute(query)
    return [User(id, name, enabled, default, _decoded(extra)) for id, name, enabled, default, extra in rows]


def _projects(connection: Connection, query: Select[Any]) -> list[Project]:
    rows = connection.execute(query)
    return [Project(id, name, region, enabled, _decoded(extra)) for id, name, region, enabled, extra in rows]


def _user_row(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "enabled": user.enabled,
        "default_project_id": user.default_project_id,
        "extra": msgspec.json.encode(user.extra).decode(),
    }


def _project_row(project: Project) -> dict[str, object]:
    extra = msgspec.json.encode(project.extra).decode()
    return {"name": project.name, "enabled": project.enabled, "extra": extra}


def _decoded(extra: str) -> dict[str, Any]:
    return msgspec.json.decode(extra, type=dict[str, Any])


@contextmanager
def _unique(kind: str, name: str) -> Iterator[None]:
    """Translate the database's refusal of a second *name*."""
    try:
        yield
    except IntegrityError as exc:
        raise Conflict(f"There is already a {kind} named {name!r}.") from exc


def _searchable(value: str | None) -> str:
    # PostgreSQL refuses NUL in a text. No name or ID contains it, and none is empty.
    return "" if value is None or "\0" in value else value


def _check_name(kind: str, name: str) -> None:
    if not name.strip() or len(name) > 255 or not name.isprintable():
        raise BadRequest(f"A {kind} name has 1 to 255 printable characters; {name[:40]!r} does not.")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadRequest(f"There is no role {role!r}; the roles are {', '.join(ROLES)}.")


def _hashed(password: str | None, cost: int) -> str:
    if password is None:
        return NO_PASSWORD
    if not password or len(password) > 4096:
        raise BadRequest("A password has 1 to 4096 characters.")
    return hash_password(password, cost)
