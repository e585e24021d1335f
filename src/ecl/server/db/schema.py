"""
Every table of the service, for SQLite and PostgreSQL alike.

One database serves all regions of a process: what belongs to a region has its name in the primary key.
Times are whole microseconds since the epoch (UTC): one type that both databases compare and index the same way.
A change here needs a migration beside it (``migrations/versions``); a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "application_credentials",
    "copy_jobs",
    "database_identity",
    "image_locations",
    "image_members",
    "image_properties",
    "image_tags",
    "images",
    "metadata",
    "projects",
    "role_assignments",
    "tasks",
    "tokens",
    "users",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row: a UUID that tells this database from all others. The folders of its stores carry it.
database_identity = Table("database_identity", metadata, Column("id", String(36), primary_key=True))

# --- images -------------------------------------------------------------------------------------------------

images = Table(
    "images",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("name", String(255)),
    # A deleted image keeps its row, with this status, because its ID may never be used again.
    Column("status", String(30), nullable=False),
    Column("visibility", String(9), nullable=False),
    Column("owner", String(255)),
    Column("disk_format", String(20)),
    Column("container_format", String(20)),
    Column("size", BigInteger),
    Column("virtual_size", BigInteger),
    Column("checksum", String(32)),
    Column("os_hash_algo", String(64)),
    Column("os_hash_value", String(128)),
    Column("min_disk", Integer, nullable=False, default=0),
    Column("min_ram", Integer, nullable=False, default=0),
    Column("protected", Boolean, nullable=False, default=False),
    Column("os_hidden", Boolean, nullable=False, default=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    # While status is "saving": which upload holds the image. Only that upload may end it.
    Column("upload_id", String(36)),
    Index(None, "region", "created_at", "id"),
    Index(None, "region", "name"),
    Index(None, "region", "owner", "status"),
)


def _of_image() -> list[Column[str]]:
    """The columns that tie a row to its image."""
    return [
        Column("region", String(64), primary_key=True),
        Column("image_id", String(36), primary_key=True),
    ]


def _image_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["region", "image_id"], ["images.region", "images.id"], ondelete="CASCADE")


image_properties = Table(
    "image_properties",
    metadata,
    *_of_image(),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    # Position keeps the order in which the client sent its properties.
    Column("position", Integer, nullable=False),
    _image_key(),
    Index(None, "region", "name"),
)

image_tags = Table(
    "image_tags",
    metadata,
    *_of_image(),
    Column("tag", String(255), primary_key=True),
    _image_key(),
    Index(None, "region", "tag"),
)

image_members = Table(
    "image_members",
    metadata,
    *_of_image(),
    Column("member_id", String(255), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    _image_key(),
    Index(None, "region", "member_id", "status"),
)

# Where an image's bytes are: the name of a store of the region. Within a store the image ID is the key.
image_locations = Table(
    "image_locations",
    metadata,
    *_of_image(),
    Column("store", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    _image_key(),
)

copy_jobs = Table(
    "copy_jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("source_region_id", String(64), nullable=False),
    Column("source_tenant_id", String(64), nullable=False),
    Column("source_image_id", String(36), nullable=False),
    Column("source_image_name", String(255)),
    Column("destination_region_id", String(64), nullable=False),
    Column("destination_tenant_id", String(64), nullable=False),
    Column("destination_image_id", String(36)),
    Column("status", String(30), nullable=False),
    Column("copy_progress", Integer, nullable=False, default=0),
    # Why a job ended in "error": for the operator; the API has no field for it.
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "source_region_id", "source_tenant_id", "created_at"),
    Index(None, "status"),
)

# What the service does for an image after it has answered: imports.
tasks = Table(
    "tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(64), nullable=False),
    Column("type", String(30), nullable=False),
    Column("status", String(30), nullable=False),
    # The image outlives the task or not; a task of a deleted image is still shown to administrators.
    Column("image_id", String(36)),
    Column("owner", String(255)),
    Column("user_id", String(64)),
    Column("request_id", String(100)),
    # JSON objects; the result is null until there is one.
    Column("input", Text, nullable=False),
    Column("result", Text),
    Column("message", Text, nullable=False, default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Index(None, "region", "created_at", "id"),
    Index(None, "region", "image_id"),
    Index(None, "status"),
)

# --- identity -----------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", BigInteger, nullable=False),
)

# A project is what ECL calls a tenant; each belongs to one region.
projects = Table(
    "projects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("region", String(64), nullable=False),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("created_at", BigInteger, nullable=False),
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
    UniqueConstraint("user_id", "name"),
)

# A token is known by the SHA-256 of its text: who reads the database cannot use one. Revoked means gone.
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
