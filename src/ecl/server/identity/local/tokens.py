"""
Tokens: random texts that identify a user, and perhaps a project, until they expire or are revoked.

The database has only the SHA-256 of a token, so nobody can log in with what it contains.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, delete, insert, select

from ecl.server.clock import now
from ecl.server.db.engine import Database
from ecl.server.db.identity_schema import application_credentials, projects, role_assignments, tokens, users
from ecl.server.domain.caller import Caller
from ecl.server.errors import Unauthorized
from ecl.server.identity.local.directory import Project, User, lock_user
from ecl.server.identity.local.passwords import random_text
from ecl.server.identity.roles import expand_roles

__all__ = ["MAX_TOKENS", "Authenticator", "Token", "issue_token", "purge_tokens", "read_token", "revoke_token"]

#: Longest text that is looked up, in characters; tokens have 43.
_MAX_TEXT = 1024
#: Most tokens of one user, or of one application credential.
MAX_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Token:
    """The content of a valid token. Times are microseconds since the epoch."""

    user: User
    #: None for an unscoped token.
    project: Project | None
    #: Including those that other roles include; empty for an unscoped token.
    roles: tuple[str, ...]
    methods: tuple[str, ...]
    audit_id: str
    issued_at: int
    expires_at: int
    #: ID and name of the application credential that it was issued for.
    application_credential: tuple[str, str] | None = None


def issue_token(
    connection: Connection,
    user: User,
    project: Project | None,
    *,
    methods: Sequence[str],
    expires_at: int,
    application_credential_id: str | None = None,
) -> str:
    """
    Store a new token and return its text, which cannot be recovered later. Roles are looked up at each use.

    A user has at most `MAX_TOKENS`, and as many for each application credential: the oldest one ends when there are
    more. A refusal instead would lock a user out for the lifetime of tokens that a broken client has left behind.

    Args:
        expires_at: Microseconds since the epoch.
    """
    lock_user(connection, user.id)
    text = random_text(32)
    row = {
        "token_hash": _hash(text),
        "user_id": user.id,
        "project_id": None if project is None else project.id,
        "application_credential_id": application_credential_id,
        "methods": " ".join(methods),
        "audit_id": secrets.token_urlsafe(16),
        "issued_at": now(),
        "expires_at": expires_at,
    }
    connection.execute(insert(tokens).values(row))
    of_same = (
        tokens.c.user_id == user.id,
        tokens.c.application_credential_id.is_not_distinct_from(application_credential_id),
    )
    surplus = select(tokens.c.token_hash).where(*of_same).order_by(tokens.c.issued_at.desc(), tokens.c.token_hash)
    connection.execute(delete(tokens).where(tokens.c.token_hash.in_(surplus.offset(MAX_TOKENS).limit(MAX_TOKENS))))
    return text


# Built once, because each request needs it and building a query takes many times longer than running it.
_BY_HASH = (
    select(
        users.c.id,
        users.c.name,
        projects.c.id,
        projects.c.name,
        projects.c.region,
        projects.c.enabled,
        role_assignments.c.role,
        tokens.c.methods,
        tokens.c.audit_id,
        tokens.c.issued_at,
        tokens.c.expires_at,
        application_credentials.c.id,
        application_credentials.c.name,
        application_credentials.c.roles,
    )
    .select_from(tokens)
    .join(users, and_(users.c.id == tokens.c.user_id, users.c.enabled))
    .outerjoin(projects, projects.c.id == tokens.c.project_id)
    .outerjoin(
        role_assignments,
        and_(
            role_assignments.c.user_id == tokens.c.user_id,
            role_assignments.c.project_id == tokens.c.project_id,
        ),
    )
    .outerjoin(application_credentials, application_credentials.c.id == tokens.c.application_credential_id)
    .where(tokens.c.token_hash == bindparam("token_hash"), tokens.c.expires_at > bindparam("moment"))
)


def read_token(connection: Connection, text: str | None) -> Token | None:
    """
    Return the content of the token *text*, with the roles that its user has now.

    It is None if the token does not exist, has expired or was revoked, if its user or project is disabled, or if the
    user no longer has a role on its project.
    """
    if not text or len(text) > _MAX_TEXT:
        return None
    rows = connection.execute(_BY_HASH, {"token_hash": _hash(text), "moment": now()}).all()
    if not rows:
        return None
    first = rows[0]
    project = None if first[2] is None else Project(*first[2:6])
    roles = expand_roles(row[6] for row in rows if row[6] is not None)
    if first[13] is not None:
        # What the user was granted after the credential was made is not for the credential.
        roles = tuple(role for role in roles if role in first[13].split())
    if project is not None and not (project.enabled and roles):
        return None
    credential = None if first[11] is None else (first[11], first[12])
    return Token(
        User(first[0], first[1], enabled=True),
        project,
        roles,
        tuple(first[7].split()),
        first[8],
        first[9],
        first[10],
        credential,
    )


def revoke_token(connection: Connection, text: str) -> None:
    """Revoke the token *text*."""
    connection.execute(delete(tokens).where(tokens.c.token_hash == _hash(text)))


def purge_tokens(connection: Connection, limit: int) -> int:
    """Remove up to *limit* expired tokens, but for those that another transaction is removing. Return how many."""
    expired = select(tokens.c.token_hash).where(tokens.c.expires_at <= now()).limit(limit)
    found = list(connection.execute(expired.with_for_update(skip_locked=True)).scalars())
    if found:
        connection.execute(delete(tokens).where(tokens.c.token_hash.in_(found)))
    return len(found)


class Authenticator:
    """Authenticates tokens of the database. Each call asks it, so a revoked token ends at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def authenticate(self, token: str | None, service_token: str | None = None) -> Caller:  # noqa: ARG002
        """
        Return the caller of *token*. A service token changes nothing.

        Raises:
            Unauthorized: There is no token, or it is not valid.
        """
        if not token:
            raise Unauthorized
        content = await self._database.look_up(lambda connection: read_token(connection, token))
        if content is None:
            raise Unauthorized
        project = content.project
        return Caller(
            user_id=content.user.id,
            project_id=None if project is None else project.id,
            region=(project.region or None) if project is not None else None,
            roles=frozenset(content.roles),
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
