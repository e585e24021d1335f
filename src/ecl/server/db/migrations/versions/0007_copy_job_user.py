"""Who posted a copy job: their rights are checked again when it runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is null for jobs from before."""
    op.add_column("copy_jobs", sa.Column("user_id", sa.String(length=64)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("copy_jobs", "user_id")
