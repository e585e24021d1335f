"""The tables of the metadata definitions: namespaces and their items."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from ecl.server.db.schema import metadata

__all__ = ["metadef_items", "metadef_namespaces", "metadef_resource_types"]

metadef_namespaces = Table(
    "metadef_namespaces",
    metadata,
    # A key besides the name, because a namespace can be renamed.
    Column("id", Integer, primary_key=True),
    Column("region", String(64), nullable=False),
    Column("namespace", String(80), nullable=False),
    Column("display_name", String(80)),
    Column("description", Text),
    Column("visibility", String(7), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("owner", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("region", "namespace"),
)

# Properties, objects, tags and associations with resource types: all have a name and a body, and no query searches in a
# body.
metadef_items = Table(
    "metadef_items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("namespace_id", ForeignKey("metadef_namespaces.id", ondelete="CASCADE"), nullable=False),
    # "property", "object", "tag" or "resource_type".
    Column("kind", String(13), nullable=False),
    Column("name", String(80), nullable=False),
    # A JSON object: everything but the name and the times.
    Column("body", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("namespace_id", "kind", "name"),
)

# Every resource type that any namespace was ever associated with.
metadef_resource_types = Table(
    "metadef_resource_types",
    metadata,
    Column("region", String(64), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
