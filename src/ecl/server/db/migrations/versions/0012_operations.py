"""Damaged data, backups, work that one process does for all, and indexes of what is purged by age."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")
_DAMAGED = sa.text("damaged_at IS NOT NULL")


def upgrade() -> None:
    """Add the column, the tables and the indexes."""
    op.add_column("image_locations", sa.Column("damaged_at", sa.BigInteger()))
    op.create_index(
        "ix_image_locations_damaged",
        "image_locations",
        ["region", "image_id", "store"],
        sqlite_where=_DAMAGED,
        postgresql_where=_DAMAGED,
    )
    op.create_table(
        "garbage_holds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_garbage_holds")),
    )
    op.create_table(
        "chores",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("lease_owner", sa.String(length=64)),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("position", sa.Text()),
        sa.Column("started_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chores")),
    )
    op.create_index(
        "ix_images_by_deletion",
        "images",
        ["region", "deleted_at"],
        sqlite_where=_DELETED,
        postgresql_where=_DELETED,
    )
    op.create_index(op.f("ix_copy_jobs_updated_at"), "copy_jobs", ["updated_at"])
    op.create_index(op.f("ix_tasks_expires_at"), "tasks", ["expires_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index(op.f("ix_tasks_expires_at"), table_name="tasks")
    op.drop_index(op.f("ix_copy_jobs_updated_at"), table_name="copy_jobs")
    op.drop_index("ix_images_by_deletion", table_name="images")
    op.drop_table("chores")
    op.drop_table("garbage_holds")
    op.drop_index("ix_image_locations_damaged", table_name="image_locations")
    op.drop_column("image_locations", "damaged_at")
