"""
Keys of data that are made once; who writes what; what is to be removed; leases of jobs.

Data that is there keeps its place: its key is the image ID.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new, and describe the existing data with it."""
    op.add_column("image_locations", sa.Column("key", sa.String(length=36), nullable=True))
    op.create_index("ix_image_locations_region_store_key", "image_locations", ["region", "store", "key"], unique=True)
    _create_tables()
    for table in ("copy_jobs", "tasks"):
        op.add_column(table, sa.Column("lease_owner", sa.String(length=64), nullable=True))
        op.add_column(table, sa.Column("lease_until", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        op.add_column(table, sa.Column("run_after", sa.BigInteger(), nullable=True))
    for statement in _DESCRIBE:
        op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "staged_data",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "image_id"],
            ["images.region", "images.id"],
            name="fk_staged_data_region_image_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("region", "image_id", name="pk_staged_data"),
    )
    op.create_index("ix_staged_data_region_key", "staged_data", ["region", "key"], unique=True)
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
    )
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("node_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_region_node_id", "uploads", ["region", "node_id"])
    op.create_table(
        "garbage",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("region", "store", "key", name="pk_garbage"),
    )
    op.create_index("ix_garbage_region_not_before", "garbage", ["region", "not_before"])


_DESCRIBE = (
    # The data of deleted images that is still to be removed.
    "INSERT INTO garbage (region, store, key, image_id, not_before, attempts) "
    "SELECT region, store, image_id, image_id, 0, 0 FROM image_locations "
    "WHERE EXISTS (SELECT 1 FROM images WHERE images.region = image_locations.region "
    "AND images.id = image_locations.image_id AND images.status = 'deleted')",
    "DELETE FROM image_locations WHERE EXISTS (SELECT 1 FROM images WHERE images.region = image_locations.region "
    "AND images.id = image_locations.image_id AND images.status = 'deleted')",
    "UPDATE image_locations SET key = image_id",
    # Staged data that waits for its import, or is being imported.
    "INSERT INTO staged_data (region, image_id, key, created_at) "
    "SELECT region, id, id, updated_at FROM images WHERE (status = 'uploading' AND upload_id IS NULL) "
    "OR status = 'importing' OR (status IN ('active', 'deactivated') AND EXISTS (SELECT 1 FROM tasks "
    "WHERE tasks.region = images.region AND tasks.image_id = images.id AND tasks.status IN ('pending', 'processing')))",
    # What an interrupted upload has left in the stores: its file has the name of the upload.
    "INSERT INTO garbage (region, store, key, image_id, not_before, attempts) "
    "SELECT images.region, stores.store, images.upload_id, images.id, 0, 0 FROM images JOIN "
    "(SELECT DISTINCT region, store FROM image_locations) AS stores ON stores.region = images.region "
    "WHERE images.status = 'saving' AND images.upload_id IS NOT NULL",
    "INSERT INTO garbage (region, store, key, image_id, not_before, attempts) "
    "SELECT region, 'os_glance_staging_store', upload_id, id, 0, 0 FROM images "
    "WHERE status = 'uploading' AND upload_id IS NOT NULL",
)


def downgrade() -> None:
    """Remove what is new. Data that was stored since is lost to the older release: it looks for the image ID."""
    for table in ("garbage", "uploads", "nodes", "staged_data"):
        op.drop_table(table)
    for table in ("tasks", "copy_jobs"):
        for column in ("run_after", "attempts", "lease_until", "lease_owner"):
            op.drop_column(table, column)
    op.drop_index("ix_image_locations_region_store_key", "image_locations")
    op.drop_column("image_locations", "key")
