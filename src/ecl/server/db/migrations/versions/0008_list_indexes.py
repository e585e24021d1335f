"""Indexes for a million images."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LIVE = sa.text("(status NOT IN ('deleted', 'killed', 'pending_delete'))")
_HELD = sa.text("upload_id IS NOT NULL")
#: Index of the live images to its columns.
_LIVE_INDEXES = {
    "ix_images_by_created_at": ["region", "os_hidden", "created_at", "id", "status"],
    "ix_images_by_updated_at": ["region", "os_hidden", "updated_at", "created_at", "id", "status"],
    "ix_images_by_name": ["region", "os_hidden", "name", "created_at", "id", "status"],
    "ix_images_by_size": ["region", "os_hidden", "size", "created_at", "id", "status"],
    "ix_images_by_owner": ["region", "owner", "os_hidden", "created_at", "id", "status"],
    "ix_images_by_status": ["region", "os_hidden", "status", "created_at", "id"],
    "ix_images_by_visibility": ["region", "visibility", "os_hidden", "created_at", "id", "status"],
}
#: Table, index and columns of those for a tag, a property or a member.
_OF_IMAGE: tuple[tuple[str, str, list[Any]], ...] = (
    ("image_tags", "ix_image_tags_by_tag", ["region", "tag", "image_id"]),
    (
        "image_properties",
        "ix_image_properties_by_value",
        ["region", "name", sa.text("substr(value, 1, 128)"), "image_id"],
    ),
    ("image_members", "ix_image_members_by_member", ["region", "member_id", "status", "image_id"]),
)
#: The indexes that these replace.
_BEFORE = (
    ("images", ["region", "created_at", "id"]),
    ("images", ["region", "name"]),
    ("images", ["region", "owner", "status"]),
    ("image_tags", ["region", "tag"]),
    ("image_properties", ["region", "name"]),
    ("image_members", ["region", "member_id", "status"]),
)


def upgrade() -> None:
    """Make the new indexes in place of the old ones."""
    for table, columns in _BEFORE:
        op.drop_index(_name(table, columns), table_name=table)
    for name, columns in _LIVE_INDEXES.items():
        op.create_index(name, "images", columns, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_index(
        "ix_images_by_upload", "images", ["region", "upload_id"], sqlite_where=_HELD, postgresql_where=_HELD
    )
    for table, name, columns in _OF_IMAGE:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Make the old indexes again."""
    op.drop_index("ix_images_by_upload", table_name="images")
    for name in _LIVE_INDEXES:
        op.drop_index(name, table_name="images")
    for table, name, _ in _OF_IMAGE:
        op.drop_index(name, table_name=table)
    for table, columns in _BEFORE:
        op.create_index(_name(table, columns), table, columns)


def _name(table: str, columns: list[str]) -> str:
    return op.f(f"ix_{table}_{'_'.join(columns)}")
