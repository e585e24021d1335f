"""Queries that make another database of a restored one."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, delete, inspect, update

from ecl.server.db.schema import chores, database_identity, garbage, garbage_holds, nodes

__all__ = ["become_another", "is_empty"]


def is_empty(connection: Connection) -> bool:
    """Return True if the database has no tables."""
    return not inspect(connection).get_table_names()


def become_another(connection: Connection) -> str:
    """
    Give the database a new UUID, forget the processes of the original and what they were doing. Return the UUID.

    What was garbage there is not here. Uploads stay: the first start gives them up.
    """
    identity = str(uuid.uuid4())
    connection.execute(update(database_identity).values(id=identity))
    for table in (garbage, garbage_holds, nodes, chores):
        connection.execute(delete(table))
    return identity
