"""Turns of projects in the queues of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: Table to its column with the project.
_QUEUES = {"copy_jobs": "source_tenant_id", "tasks": "owner"}


def upgrade() -> None:
    """Add the table of turns, and the project to the indexes by status."""
    op.create_table(
        "job_turns",
        sa.Column("queue", sa.String(30), primary_key=True),
        sa.Column("project_id", sa.String(255), primary_key=True),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
    )
    for table, project in _QUEUES.items():
        op.drop_index(op.f(f"ix_{table}_status"), table_name=table)
        op.create_index(op.f(f"ix_{table}_status_{project}"), table, ["status", project])


def downgrade() -> None:
    """Undo it."""
    for table, project in _QUEUES.items():
        op.drop_index(op.f(f"ix_{table}_status_{project}"), table_name=table)
        op.create_index(op.f(f"ix_{table}_status"), table, ["status"])
    op.drop_table("job_turns")
