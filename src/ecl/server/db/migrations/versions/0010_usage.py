"""What projects use, as counters; and indexes of hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATUSES = ("queued", "saving", "uploading", "importing", "active", "deactivated")
_FILL_PROJECTS = """
INSERT INTO project_usage (region, owner, queued, saving, uploading, importing, active, deactivated, staged_bytes)
SELECT region, COALESCE(owner, ''),
    SUM(CASE WHEN status = 'queued' THEN 1 ELSE 0 END), SUM(CASE WHEN status = 'saving' THEN 1 ELSE 0 END),
    SUM(CASE WHEN status = 'uploading' THEN 1 ELSE 0 END), SUM(CASE WHEN status = 'importing' THEN 1 ELSE 0 END),
    SUM(CASE WHEN status = 'active' THEN 1 ELSE 0 END), SUM(CASE WHEN status = 'deactivated' THEN 1 ELSE 0 END),
    SUM(CASE WHEN status = 'uploading' THEN COALESCE(size, 0) ELSE 0 END)
FROM images WHERE status NOT IN ('deleted', 'killed', 'pending_delete') GROUP BY region, COALESCE(owner, '')
"""
_FILL_STORES = """
INSERT INTO store_usage (region, owner, store, bytes)
SELECT images.region, COALESCE(images.owner, ''), image_locations.store, SUM(COALESCE(images.size, 0))
FROM images JOIN image_locations
    ON image_locations.region = images.region AND image_locations.image_id = images.id
WHERE images.status NOT IN ('deleted', 'killed', 'pending_delete')
GROUP BY images.region, COALESCE(images.owner, ''), image_locations.store
"""
_LIVE = sa.text("(status NOT IN ('deleted', 'killed', 'pending_delete'))")
#: Index of the live images to its columns.
_INDEXES = {
    "ix_images_by_checksum": ["region", "os_hidden", "checksum", "status"],
    "ix_images_by_hash": ["region", "os_hidden", "os_hash_value", "status"],
}


def _key() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
    )


def upgrade() -> None:
    """Make the tables, and count what is there; make the indexes."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "images", columns, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "project_usage",
        *_key(),
        *(sa.Column(status, sa.BigInteger(), nullable=False) for status in _STATUSES),
        sa.Column("staged_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "owner", name=op.f("pk_project_usage")),
    )
    op.create_table(
        "store_usage",
        *_key(),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("region", "owner", "store", name=op.f("pk_store_usage")),
    )
    op.execute(_FILL_PROJECTS)
    op.execute(_FILL_STORES)


def downgrade() -> None:
    """Drop them."""
    for name in _INDEXES:
        op.drop_index(name, table_name="images")
    op.drop_table("store_usage")
    op.drop_table("project_usage")
