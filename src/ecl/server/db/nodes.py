"""Queries on nodes: the processes that use the database, each with a lease that it renews."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, insert, select, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import nodes, uploads

__all__ = ["add_node", "remove_dead_nodes", "remove_node", "renew_node"]


def add_node(connection: Connection, node_id: str, name: str, lease: int) -> None:
    """Add a process. It is alive for *lease* microseconds."""
    moment = database_now()
    connection.execute(insert(nodes).values(id=node_id, name=name, started_at=moment, expires_at=moment + lease))


def renew_node(connection: Connection, node_id: str, lease: int) -> bool:
    """Let the process live for *lease* microseconds from now. Return False if it is not there any more."""
    renewed = update(nodes).where(nodes.c.id == node_id).values(expires_at=database_now() + lease)
    return connection.execute(renewed).rowcount == 1


def remove_node(connection: Connection, node_id: str) -> None:
    """Remove the process: what it has not finished belongs to the others."""
    connection.execute(delete(nodes).where(nodes.c.id == node_id))


def remove_dead_nodes(connection: Connection) -> None:
    """Remove the processes that are dead and whose uploads have been taken over."""
    has_uploads = exists(select(uploads.c.upload_id).where(uploads.c.node_id == nodes.c.id))
    connection.execute(delete(nodes).where(nodes.c.expires_at < database_now(), ~has_uploads))
