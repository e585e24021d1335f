"""
Application credentials: an ID and a secret that log in as a user on one project, without the user's password.

A credential has those of the roles that its user had on the project when it was made, and still has at the time of use.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ecl.server.clock import now
from ecl.server.db.identity_schema import application_credentials
from ecl.server.errors import Conflict, Forbidden
from ecl.server.identity.local.directory import lock_user
from ecl.server.identity.local.passwords import random_text

__all__ = [
    "MAX_CREDENTIALS",
    "ApplicationCredential",
    "create_credential",
    "delete_credential",
    "generate_secret",
    "get_credential",
    "list_credentials",
    "replace_secret_hash",
]


#: Most application credentials of one user.
MAX_CREDENTIALS = 100


@dataclass(frozen=True, slots=True)
class ApplicationCredential:
    """One application credential; *expires_at* is in microseconds since the epoch, None for never."""

    id: str
    name: str
    user_id: str
    project_id: str
    secret_hash: str
    expires_at: int | None
    roles: tuple[str, ...]

    @property
    def is_expired(self) -> bool:
        """True if it can no longer be used."""
        return self.expires_at is not None and self.expires_at <= now()


_columns = application_credentials.c
_CREDENTIAL = select(
    _columns.id,
    _columns.name,
    _columns.user_id,
    _columns.project_id,
    _columns.secret_hash,
    _columns.expires_at,
    _columns.roles,
)


def generate_secret() -> str:
    """Return a new secret of 512 bits."""
    return random_text(64)


def create_credential(
    connection: Connection,
    user_id: str,
    project_id: str,
    name: str,
    secret_hash: str,
    expires_at: int | None,
    roles: tuple[str, ...],
) -> ApplicationCredential:
    """
    Store a new application credential.

    Args:
        secret_hash: From `hash_password`, called before the transaction because it is slow.
        roles: The roles that it has at most, including those that others include.

    Raises:
        Forbidden: The user has `MAX_CREDENTIALS` already.
        Conflict: The user has a credential of this name.
    """
    lock_user(connection, user_id)
    count = select(func.count()).select_from(application_credentials).where(_columns.user_id == user_id)
    if connection.execute(count).scalar_one() >= MAX_CREDENTIALS:
        raise Forbidden(f"A user has at most {MAX_CREDENTIALS} application credentials: delete one first.")
    credential = ApplicationCredential(uuid.uuid4().hex, name, user_id, project_id, secret_hash, expires_at, roles)
    row = {
        "id": credential.id,
        "name": name,
        "user_id": user_id,
        "project_id": project_id,
        "secret_hash": secret_hash,
        "expires_at": expires_at,
        "created_at": now(),
        "roles": " ".join(roles),
    }
    try:
        connection.execute(insert(application_credentials).values(row))
    except IntegrityError as exc:
        raise Conflict(f"There is already an application credential named {name!r}.") from exc
    return credential


def get_credential(
    connection: Connection, *, id: str | None = None, user_id: str | None = None, name: str | None = None
) -> ApplicationCredential | None:
    """Return the one credential with this ID, user and name, as far as they are given; None if there is none."""
    query = _CREDENTIAL
    for column, value in ((_columns.id, id), (_columns.user_id, user_id), (_columns.name, name)):
        if value is not None:
            query = query.where(column == value)
    credentials = _all(connection, query)
    return credentials[0] if len(credentials) == 1 else None


def list_credentials(connection: Connection, user_id: str, name: str | None = None) -> list[ApplicationCredential]:
    """Return the credentials of a user, or the one called *name*, sorted by name."""
    query = _CREDENTIAL.where(_columns.user_id == user_id).order_by(_columns.name)
    return _all(connection, query if name is None else query.where(_columns.name == name))


def replace_secret_hash(connection: Connection, credential: ApplicationCredential, secret_hash: str) -> None:
    """Store another hash of the same secret."""
    changed = update(application_credentials).where(_columns.id == credential.id)
    connection.execute(changed.values(secret_hash=secret_hash))


def delete_credential(connection: Connection, credential: ApplicationCredential) -> None:
    """Remove *credential* and every token that was issued for it."""
    connection.execute(delete(application_credentials).where(_columns.id == credential.id))


def _all(connection: Connection, query: Select[Any]) -> list[ApplicationCredential]:
    return [
        ApplicationCredential(id, name, user_id, project_id, secret_hash, expires_at, tuple(roles.split()))
        for id, name, user_id, project_id, secret_hash, expires_at, roles in connection.execute(query)
    ]
