"""The database's own UUID."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; `Database.prepare` makes the UUID."""
    op.create_table(
        "database_identity",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_identity")),
    )


def downgrade() -> None:
    """Drop the table. The markers in the stores' folders then have to be removed by hand."""
    op.drop_table("database_identity")
