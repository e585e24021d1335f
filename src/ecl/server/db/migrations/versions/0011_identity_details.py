"""What administrators store with users and projects, a user's default project, and locations at other addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("users", sa.Column("default_project_id", sa.String(length=64)))
    for table in ("users", "projects"):
        op.add_column(table, sa.Column("extra", sa.Text(), nullable=False, server_default="{}"))
    for column in ("url", "details"):
        op.add_column("image_locations", sa.Column(column, sa.Text()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("users", "default_project_id")
    for table in ("users", "projects"):
        op.drop_column(table, "extra")
    for column in ("url", "details"):
        op.drop_column("image_locations", column)
