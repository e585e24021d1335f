"""Whose quota staged data counts for until it is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STAGED = sa.text("owner IS NOT NULL")
#: Staged data of an import that is under way counts, too.
_COUNT_IMPORTS = """
UPDATE project_usage SET staged_bytes = COALESCE((
    SELECT SUM(COALESCE(images.size, 0)) FROM images
    WHERE images.region = project_usage.region AND COALESCE(images.owner, '') = project_usage.owner
        AND images.status IN ({statuses})
), 0)
WHERE importing > 0
"""


def upgrade() -> None:
    """Add the columns and their index, and count."""
    op.add_column("garbage", sa.Column("owner", sa.String(length=255)))
    op.add_column("garbage", sa.Column("size", sa.BigInteger()))
    op.create_index("ix_garbage_staged", "garbage", ["region", "owner"], sqlite_where=_STAGED, postgresql_where=_STAGED)
    op.execute(_COUNT_IMPORTS.format(statuses="'uploading', 'importing'"))


def downgrade() -> None:
    """Undo it."""
    op.execute(_COUNT_IMPORTS.format(statuses="'uploading'"))
    op.drop_index("ix_garbage_staged", table_name="garbage")
    op.drop_column("garbage", "size")
    op.drop_column("garbage", "owner")
