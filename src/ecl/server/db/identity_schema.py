"""The tables of the embedded identity: users, projects, roles, application credentials and tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from ecl.server.db.schema import metadata

__all__ = ["application_credentials", "projects", "role_assignments", "tokens", "users"]

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", BigInteger, nullable=False),
    # The project of a login that names none. Not a foreign key: Keystone takes any ID.
    Column("default_project_id", String(64)),
    # A JSON object: what else a client has stored with the user, as in Keystone (description, email ...).
    Column("extra", Text, nullable=False, server_default="{}"),
)

# A project is what ECL calls a tenant; it belongs to one region, or with "" to all.
projects = Table(
    "projects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("region", String(64), nullable=False),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", BigInteger, nullable=False),
    # As of a user.
    Column("extra", Text, nullable=False, server_default="{}"),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(32), primary_key=True),
)

application_credentials = Table(
    "application_credentials",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("secret_hash", String(255), nullable=False),
    Column("expires_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # The roles that it was made with, space-separated.
    Column("roles", String(255), nullable=False, server_default=""),
    UniqueConstraint("user_id", "name"),
)

# Only the SHA-256 of a token is stored, so nobody can use a token from the database. Revoking a token deletes its row.
tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE")),
    Column("application_credential_id", ForeignKey("application_credentials.id", ondelete="CASCADE")),
    # Space-separated, as Keystone lists them: "password", "token password" ...
    Column("methods", String(255), nullable=False),
    Column("audit_id", String(32), nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)
