"""The roles of application credentials: those that their users have now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What each role includes, as of this revision.
_INCLUDED = {"admin": "admin member reader", "member": "member reader", "reader": "reader", "service": "service"}


def upgrade() -> None:
    """Add the column, and fill it."""
    op.add_column(
        "application_credentials", sa.Column("roles", sa.String(length=255), nullable=False, server_default="")
    )
    connection = op.get_bind()
    granted = connection.execute(
        sa.text(
            "SELECT c.id, r.role FROM application_credentials c JOIN role_assignments r "
            "ON r.user_id = c.user_id AND r.project_id = c.project_id"
        )
    )
    roles: dict[str, set[str]] = {}
    for credential, role in granted:
        roles.setdefault(credential, set()).update(_INCLUDED.get(role, role).split())
    for credential, names in roles.items():
        connection.execute(
            sa.text("UPDATE application_credentials SET roles = :roles WHERE id = :id"),
            {"roles": " ".join(sorted(names)), "id": credential},
        )


def downgrade() -> None:
    """Drop the column: credentials have all roles of their users again."""
    op.drop_column("application_credentials", "roles")
