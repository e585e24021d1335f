"""
Every table of the service, for SQLite and PostgreSQL alike.

One database serves all regions of a process: images and what belongs to them have the region's name in the primary key.
Times are whole microseconds since the epoch (UTC), which both databases compare and index in the same way.
A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    literal_column,
    text,
)

from ecl.server.domain.status import COUNTED, INVISIBLE

__all__ = [
    "PREFIX",
    "chores",
    "copy_jobs",
    "database_identity",
    "garbage",
    "garbage_holds",
    "image_locations",
    "image_members",
    "image_properties",
    "image_tags",
    "images",
    "job_turns",
    "live",
    "metadata",
    "nodes",
    "project_usage",
    "staged_data",
    "store_usage",
    "tasks",
    "uploads",
    "value_prefix",
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
    # A deleted image keeps its row, with the status "deleted", because its ID is never used again.
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
    # The upload that holds the image, while the status is "saving", or "uploading" and the data is still arriving. Only
    # that upload may change the status.
    Column("upload_id", String(36)),
)
#: What no caller sees is not in these indexes, however much of it there is. A database only uses them for a query that
#: has this condition word for word, and not as a parameter.
live = images.c.status.not_in([literal_column(f"'{status}'") for status in sorted(INVISIBLE)])


def _live_index(name: str, *columns: str) -> None:
    """Index what a list is sorted by, and before that what its images have in common."""
    # With the status, SQLite need not read the images that it counts.
    every = dict.fromkeys((*columns, "status"))
    Index(f"ix_images_{name}", *(images.c[column] for column in every), sqlite_where=live, postgresql_where=live)


_live_index("by_created_at", "region", "os_hidden", "created_at", "id")
_live_index("by_updated_at", "region", "os_hidden", "updated_at", "created_at", "id")
_live_index("by_name", "region", "os_hidden", "name", "created_at", "id")
_live_index("by_size", "region", "os_hidden", "size", "created_at", "id")
_live_index("by_status", "region", "os_hidden", "status", "created_at", "id")
# Stock clients find an image by its hash: ``glance image-list --checksum`` and ``--hash``.
_live_index("by_checksum", "region", "os_hidden", "checksum")
_live_index("by_hash", "region", "os_hidden", "os_hash_value")
# Not os_hidden first: quotas count hidden images, too.
_live_index("by_owner", "region", "owner", "os_hidden", "created_at", "id")
_live_index("by_visibility", "region", "visibility", "os_hidden", "created_at", "id")

# What a start asks for: few of all images.
_held = images.c.upload_id.is_not(None)
Index("ix_images_by_upload", images.c.region, images.c.upload_id, sqlite_where=_held, postgresql_where=_held)
# What is purged by age.
_deleted = images.c.deleted_at.is_not(None)
Index("ix_images_by_deletion", images.c.region, images.c.deleted_at, sqlite_where=_deleted, postgresql_where=_deleted)


def _of_image() -> list[Column[str]]:
    """Return the columns that refer to the image of a row."""
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
    # The order in which the client sent the properties.
    Column("position", Integer, nullable=False),
    _image_key(),
)
#: Characters of a property's value that its index holds; a value may be longer than what an index can hold.
PREFIX = 128
value_prefix = func.substr(image_properties.c.value, literal_column("1"), literal_column(f"{PREFIX}"))
Index(
    "ix_image_properties_by_value",
    image_properties.c.region,
    image_properties.c.name,
    value_prefix,
    image_properties.c.image_id,
)

image_tags = Table(
    "image_tags",
    metadata,
    *_of_image(),
    Column("tag", String(255), primary_key=True),
    _image_key(),
    Index("ix_image_tags_by_tag", "region", "tag", "image_id"),
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
    Index("ix_image_members_by_member", "region", "member_id", "status", "image_id"),
)

# The stores that have the data of an image, and its key there: a UUID that is used once. Releases up to schema 0004
# used the image ID as the key; without a key, that is what it is.
image_locations = Table(
    "image_locations",
    metadata,
    *_of_image(),
    Column("store", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("key", String(36)),
    # Of the store for addresses elsewhere: the address, and a JSON object that the client keeps with it.
    Column("url", Text),
    Column("details", Text),
    # When the data was found to be damaged or missing; it is not served from then on.
    Column("damaged_at", BigInteger),
    _image_key(),
    Index(None, "region", "store", "key", unique=True),
)
_damaged = image_locations.c.damaged_at.is_not(None)
Index(
    "ix_image_locations_damaged",
    image_locations.c.region,
    image_locations.c.image_id,
    image_locations.c.store,
    sqlite_where=_damaged,
    postgresql_where=_damaged,
)

# The data in the staging area: which key is staged for which image.
staged_data = Table(
    "staged_data",
    metadata,
    *_of_image(),
    Column("key", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    _image_key(),
    Index(None, "region", "key", unique=True),
)

# --- what projects use ------------------------------------------------------------------------------------------

# What the live images of a project are in sum. Every transaction that changes an image changes the sums with it
# (`ecl.server.db.usage`), and `ecl.server.db.recount` compares the two. The row is also the lock of a project's quotas.
project_usage = Table(
    "project_usage",
    metadata,
    Column("region", String(64), primary_key=True),
    # Empty for images without owner.
    Column("owner", String(255), primary_key=True),
    # Images by status.
    *(Column(status, BigInteger, nullable=False) for status in COUNTED),
    # Bytes of the images that wait in the staging area for their import.
    Column("staged_bytes", BigInteger, nullable=False),
)

# Bytes of a project's images in each store.
store_usage = Table(
    "store_usage",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("owner", String(255), primary_key=True),
    Column("store", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)

# --- bytes that are no image's yet, or no longer -------------------------------------------------------------

# The processes that use this database. One that has not renewed its lease in time is dead.
nodes = Table(
    "nodes",
    metadata,
    Column("id", String(36), primary_key=True),
    # For people: process and host.
    Column("name", String(255), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# The data that is being written: from before its first byte until the transaction that puts it to use or gives it up.
uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", String(36), primary_key=True),
    Column("region", String(64), nullable=False),
    Column("image_id", String(36), nullable=False),
    Column("store", String(64), nullable=False),
    Column("key", String(36), nullable=False),
    # Not a foreign key: the row of a dead node may be gone.
    Column("node_id", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "region", "node_id"),
)

_OWNED = text("owner IS NOT NULL")

# The data that is to be removed. Nothing else is ever removed from a store.
garbage = Table(
    "garbage",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("store", String(64), primary_key=True),
    Column("key", String(36), primary_key=True),
    # For the log.
    Column("image_id", String(36), nullable=False),
    # The database's time before which it is not (again) tried, and how often that failed.
    Column("not_before", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    # Of data in the staging area: whose quota it counts for until it is gone, and its bytes.
    Column("owner", String(255)),
    Column("size", BigInteger),
    Index(None, "region", "not_before"),
    Index("ix_garbage_staged", "region", "owner", sqlite_where=_OWNED, postgresql_where=_OWNED),
)

# While one of these is valid, no garbage is removed: a backup copies what the database named at its start.
garbage_holds = Table(
    "garbage_holds",
    metadata,
    Column("id", String(36), primary_key=True),
    # For people: process and host.
    Column("name", String(255), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# Work that one process at a time does for all, such as the scrub, and how far it has come.
chores = Table(
    "chores",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
    # Where it goes on, a JSON text; null at the beginning of a round.
    Column("position", Text),
    # When this round began.
    Column("started_at", BigInteger),
)


# --- jobs -------------------------------------------------------------------------------------------------------


def _lease() -> list[Column[Any]]:
    """Return the columns of a job that say who works on it; all times are the database's."""
    return [
        # Unique for each time that a worker has claimed the job.
        Column("lease_owner", String(64)),
        Column("lease_until", BigInteger),
        # Failures for an unexpected reason.
        Column("attempts", Integer, nullable=False, default=0, server_default="0"),
        # Not before this time.
        Column("run_after", BigInteger),
    ]


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
    # Why a job ended in "error", for the operator; the API has no field for it.
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    *_lease(),
    # Who posted it; their rights are checked again when the job runs.
    Column("user_id", String(64)),
    Index(None, "source_region_id", "source_tenant_id", "created_at"),
    Index(None, "status", "source_tenant_id"),
    Index(None, "updated_at"),
)

# Import tasks.
tasks = Table(
    "tasks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("region", String(64), nullable=False),
    Column("type", String(30), nullable=False),
    Column("status", String(30), nullable=False),
    # Not a foreign key: administrators still see the tasks of a deleted image.
    Column("image_id", String(36)),
    Column("owner", String(255)),
    Column("user_id", String(64)),
    Column("request_id", String(100)),
    # JSON objects; the result is null until the task has succeeded.
    Column("input", Text, nullable=False),
    Column("result", Text),
    Column("message", Text, nullable=False, default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    *_lease(),
    Index(None, "region", "created_at", "id"),
    Index(None, "region", "image_id"),
    Index(None, "status", "owner"),
    Index(None, "expires_at"),
)

# When a job of each project was last begun: projects take turns.
job_turns = Table(
    "job_turns",
    metadata,
    # The table of the jobs.
    Column("queue", String(30), primary_key=True),
    # Empty for jobs of no project.
    Column("project_id", String(255), primary_key=True),
    Column("begun_at", BigInteger, nullable=False),
)
