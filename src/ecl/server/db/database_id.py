"""The UUID of the database: made once, and kept in its backups."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, insert, select

from ecl.server.db.schema import database_identity

__all__ = ["database_id", "ensure_database_id"]


def database_id(connection: Connection) -> str:
    """Return the UUID of a prepared database."""
    return str(connection.execute(select(database_identity.c.id)).scalar_one())


def ensure_database_id(connection: Connection) -> None:
    """Give the database its UUID if it has none, within a transaction of `Database.write`."""
    if connection.execute(select(database_identity.c.id)).first() is None:
        connection.execute(insert(database_identity).values(id=str(uuid.uuid4())))
