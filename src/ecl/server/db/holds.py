"""Queries on holds: while one is valid, no garbage is removed from the stores."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import garbage_holds

__all__ = ["add_hold", "is_held", "remove_hold", "renew_hold"]

_ROW = garbage_holds.c
# Built once, because each delete of an image asks this.
_VALID = select(_ROW.id).where(_ROW.expires_at >= database_now()).limit(1)


def is_held(connection: Connection) -> bool:
    """
    Return True if no garbage may be removed now.

    Ask this after the transaction that made something garbage. A hold that begins after that cannot need it: a backup
    copies what the database names after the hold has begun.
    """
    return connection.execute(_VALID).first() is not None


def add_hold(connection: Connection, hold_id: str, name: str, lease: int) -> None:
    """Add a hold for *lease* microseconds, and forget those that have expired."""
    connection.execute(delete(garbage_holds).where(_ROW.expires_at < database_now()))
    connection.execute(insert(garbage_holds).values(id=hold_id, name=name, expires_at=database_now() + lease))


def renew_hold(connection: Connection, hold_id: str, lease: int) -> bool:
    """Let the hold be valid for *lease* microseconds from now. Return False if it has expired."""
    mine = update(garbage_holds).where(_ROW.id == hold_id, _ROW.expires_at >= database_now())
    return connection.execute(mine.values(expires_at=database_now() + lease)).rowcount == 1


def remove_hold(connection: Connection, hold_id: str) -> None:
    """End the hold."""
    connection.execute(delete(garbage_holds).where(_ROW.id == hold_id))
