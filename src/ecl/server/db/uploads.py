"""Queries on uploads: the data that is being written, and by which process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, insert, select, true

from ecl.server.clock import now
from ecl.server.db.database_clock import database_now
from ecl.server.db.schema import nodes, uploads

__all__ = ["UploadRow", "add_upload", "drop_upload", "finish_upload", "unfinished_uploads"]


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One row of the table."""

    upload_id: str
    region: str
    image_id: str
    #: A store's name, or `ecl.server.db.garbage.STAGING`.
    store: str
    key: str
    node_id: str


_COLUMNS = tuple(uploads.c[name] for name in UploadRow.__dataclass_fields__)
# Built once, because each upload needs them and building a query takes many times longer than running it.
_ADD = insert(uploads)
_DROP = delete(uploads).where(uploads.c.upload_id == bindparam("of_upload"))
_IS_ALIVE: ColumnElement[bool] = exists(
    select(nodes.c.id).where(nodes.c.id == uploads.c.node_id, nodes.c.expires_at >= database_now())
)
_FINISH = _DROP.where(_IS_ALIVE)


def add_upload(connection: Connection, row: UploadRow) -> None:
    """Record that a process is about to write data."""
    values = {name: getattr(row, name) for name in UploadRow.__dataclass_fields__}
    connection.execute(_ADD, {**values, "created_at": now()})


def finish_upload(connection: Connection, upload_id: str) -> bool:
    """
    End an upload in the transaction that puts its data to use.

    Returns:
        False if its process has lost it: it was taken over, or the process's lease has expired.
    """
    return connection.execute(_FINISH, {"of_upload": upload_id}).rowcount == 1


def drop_upload(connection: Connection, upload_id: str) -> bool:
    """End an upload whose data is of no use. Return False if it has ended already."""
    return connection.execute(_DROP, {"of_upload": upload_id}).rowcount == 1


def unfinished_uploads(
    connection: Connection, regions: Collection[str], node_id: str, *, others_are_dead: bool
) -> Sequence[UploadRow]:
    """
    Return the uploads in *regions* of the process *node_id*, and those of dead processes.

    Args:
        others_are_dead: True if every other process is dead, whatever its lease says.
    """
    whose = true() if others_are_dead else (uploads.c.node_id == node_id) | ~_IS_ALIVE
    query = select(*_COLUMNS).where(uploads.c.region.in_(regions), whose)
    return [UploadRow(*row) for row in connection.execute(query)]
