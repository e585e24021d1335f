"""Queries on chores: work that one process at a time does for all, with a lease in the database's clock."""

from __future__ import annotations

from sqlalchemy import Connection, insert, or_, select, update

from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import chores

__all__ = ["begin_chore", "end_round", "keep_chore", "release_chore"]

_ROW = chores.c


def begin_chore(connection: Connection, name: str, owner: str, lease: int, interval: int) -> str | None:
    """
    Take the chore for *lease* microseconds, if no other process has it and a round is due or in progress.

    Args:
        owner: Unique for each process.
        interval: Microseconds between the beginnings of two rounds.

    Returns:
        Where to go on: the text of `keep_chore`, "" at the beginning of a round; None: there is nothing to do.
    """
    if connection.execute(select(_ROW.name).where(_ROW.name == name)).first() is None:
        connection.execute(insert(chores).values(name=name))
    free = or_(_ROW.lease_until.is_(None), _ROW.lease_until < database_now(), _ROW.lease_owner == owner)
    due = or_(_ROW.position.is_not(None), _ROW.started_at.is_(None), _ROW.started_at <= database_now() - interval)
    taken = update(chores).where(_ROW.name == name, free, due)
    if connection.execute(taken.values(lease_owner=owner, lease_until=database_now() + lease)).rowcount == 0:
        return None
    position = connection.execute(select(_ROW.position).where(_ROW.name == name)).scalar_one()
    if position is None:
        position = ""
        begun = {"position": position, "started_at": database_now()}
        connection.execute(update(chores).where(_ROW.name == name).values(begun))
    return str(position)


def keep_chore(connection: Connection, name: str, owner: str, lease: int, position: str | None = None) -> bool:
    """Renew the lease, and remember the *position* if there is one. Return False if another process has the chore."""
    values = {"lease_until": database_now() + lease, **({} if position is None else {"position": position})}
    held = update(chores).where(_ROW.name == name, _ROW.lease_owner == owner, _ROW.lease_until >= database_now())
    return connection.execute(held.values(values)).rowcount == 1


def end_round(connection: Connection, name: str, owner: str) -> None:
    """End the round, and give the chore back."""
    mine = update(chores).where(_ROW.name == name, _ROW.lease_owner == owner)
    connection.execute(mine.values(position=None, lease_owner=None, lease_until=None))


def release_chore(connection: Connection, name: str, owner: str) -> None:
    """Give the chore back in the middle of a round."""
    mine = update(chores).where(_ROW.name == name, _ROW.lease_owner == owner)
    connection.execute(mine.values(lease_owner=None, lease_until=None))
