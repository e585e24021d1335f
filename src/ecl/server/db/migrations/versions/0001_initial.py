"""The first schema: images and what belongs to them, copy jobs, identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _images()
    _copy_jobs()
    _identity()


def downgrade() -> None:
    """Drop every table, with all that is in it."""
    for table in (
        "tokens",
        "role_assignments",
        "application_credentials",
        "users",
        "projects",
        "copy_jobs",
        "image_tags",
        "image_properties",
        "image_members",
        "image_locations",
        "images",
    ):
        op.drop_table(table)


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("visibility", sa.String(length=9), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=True),
        sa.Column("disk_format", sa.String(length=20), nullable=True),
        sa.Column("container_format", sa.String(length=20), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("virtual_size", sa.BigInteger(), nullable=True),
        sa.Column("checksum", sa.String(length=32), nullable=True),
        sa.Column("os_hash_algo", sa.String(length=64), nullable=True),
        sa.Column("os_hash_value", sa.String(length=128), nullable=True),
        sa.Column("min_disk", sa.Integer(), nullable=False),
        sa.Column("min_ram", sa.Integer(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("os_hidden", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("upload_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("region", "id", name=op.f("pk_images")),
    )
    op.create_index(op.f("ix_images_region_created_at_id"), "images", ["region", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_images_region_name"), "images", ["region", "name"], unique=False)
    op.create_index(op.f("ix_images_region_owner_status"), "images", ["region", "owner", "status"], unique=False)
    op.create_table(
        "image_locations",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "image_id"],
            ["images.region", "images.id"],
            name=op.f("fk_image_locations_region_image_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("region", "image_id", "store", name=op.f("pk_image_locations")),
    )
    op.create_table(
        "image_members",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "image_id"],
            ["images.region", "images.id"],
            name=op.f("fk_image_members_region_image_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("region", "image_id", "member_id", name=op.f("pk_image_members")),
    )
    op.create_index(
        op.f("ix_image_members_region_member_id_status"),
        "image_members",
        ["region", "member_id", "status"],
        unique=False,
    )
    op.create_table(
        "image_properties",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "image_id"],
            ["images.region", "images.id"],
            name=op.f("fk_image_properties_region_image_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("region", "image_id", "name", name=op.f("pk_image_properties")),
    )
    op.create_index(op.f("ix_image_properties_region_name"), "image_properties", ["region", "name"], unique=False)
    op.create_table(
        "image_tags",
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "image_id"],
            ["images.region", "images.id"],
            name=op.f("fk_image_tags_region_image_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("region", "image_id", "tag", name=op.f("pk_image_tags")),
    )
    op.create_index(op.f("ix_image_tags_region_tag"), "image_tags", ["region", "tag"], unique=False)


def _copy_jobs() -> None:
    op.create_table(
        "copy_jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source_region_id", sa.String(length=64), nullable=False),
        sa.Column("source_tenant_id", sa.String(length=64), nullable=False),
        sa.Column("source_image_id", sa.String(length=36), nullable=False),
        sa.Column("source_image_name", sa.String(length=255), nullable=True),
        sa.Column("destination_region_id", sa.String(length=64), nullable=False),
        sa.Column("destination_tenant_id", sa.String(length=64), nullable=False),
        sa.Column("destination_image_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("copy_progress", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_jobs")),
    )
    op.create_index(
        op.f("ix_copy_jobs_source_region_id_source_tenant_id_created_at"),
        "copy_jobs",
        ["source_region_id", "source_tenant_id", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_copy_jobs_status"), "copy_jobs", ["status"], unique=False)


def _identity() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "application_credentials",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_application_credentials_project_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_application_credentials_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_credentials")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_application_credentials_user_id_name")),
    )
    op.create_table(
        "role_assignments",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_role_assignments_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_role_assignments_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "project_id", "role", name=op.f("pk_role_assignments")),
    )
    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.String(length=32), nullable=True),
        sa.Column("application_credential_id", sa.String(length=32), nullable=True),
        sa.Column("methods", sa.String(length=255), nullable=False),
        sa.Column("audit_id", sa.String(length=32), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_credential_id"],
            ["application_credentials.id"],
            name=op.f("fk_tokens_application_credential_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tokens_project_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"], unique=False)
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
