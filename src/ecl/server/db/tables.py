"""Every table: importing this module makes `metadata` complete."""

from __future__ import annotations

from ecl.server.db import identity_schema, metadef_schema
from ecl.server.db.schema import metadata

__all__ = ["identity_schema", "metadata", "metadef_schema"]
