"""Queries on tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from ecl.server.clock import now
from ecl.server.db.paging import after, ordered
from ecl.server.db.schema import tasks
from ecl.server.domain.paging import SortKey
from ecl.server.domain.task import FAILURE, SUCCESS, UNFINISHED, Task

__all__ = [
    "change_task",
    "end_task",
    "fetch_task",
    "insert_task",
    "list_tasks",
    "load_task",
    "tasks_of_image",
]

_NAMES = tuple(Task.__dataclass_fields__)
_COLUMNS = tuple(tasks.c[name] for name in _NAMES)
#: Most tasks of one image that are shown: the newest.
_MAX_OF_IMAGE = 1000


def _task(row: Row[Any]) -> Task:
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("input", "result"):
        if values[name] is not None:
            values[name] = msgspec.json.decode(values[name])
    return Task(**values)


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def insert_task(connection: Connection, task: Task) -> None:
    """Add *task*."""
    values = {name: getattr(task, name) for name in _NAMES}
    values["input"] = _json(task.input)
    connection.execute(insert(tasks).values(values))


def fetch_task(connection: Connection, region: str, task_id: str) -> Task | None:
    """Return the task, or None."""
    row = connection.execute(select(*_COLUMNS).where(tasks.c.region == region, tasks.c.id == task_id)).first()
    return None if row is None else _task(row)


def load_task(connection: Connection, task_id: str) -> Task:
    """Return the task, which exists, of whatever region."""
    return _task(connection.execute(select(*_COLUMNS).where(tasks.c.id == task_id)).one())


def tasks_of_image(connection: Connection, region: str, image_id: str) -> list[Task]:
    """Return the tasks of an image, the newest first."""
    query = select(*_COLUMNS).where(tasks.c.region == region, tasks.c.image_id == image_id)
    newest = query.order_by(tasks.c.created_at.desc(), tasks.c.id).limit(_MAX_OF_IMAGE)
    return [_task(row) for row in connection.execute(newest)]


def list_tasks(
    connection: Connection,
    region: str,
    filters: Mapping[str, str],
    order: Sequence[SortKey],
    marker: Task | None,
    limit: int,
) -> list[Task]:
    """
    Return a page of tasks.

    Args:
        filters: Column to its value.
        order: The last key is the ID, so the order is total.
        marker: The last task of the page before.
    """
    conditions = [tasks.c.region == region, *(tasks.c[name] == value for name, value in filters.items())]
    if marker is not None:
        conditions.append(after(tasks.c, order, marker))
    columns = [ordered(tasks.c[key.name], key) for key in order]
    rows = connection.execute(select(*_COLUMNS).where(*conditions).order_by(*columns).limit(limit))
    return [_task(row) for row in rows]


def change_task(connection: Connection, task_id: str, status: str) -> bool:
    """Set the status of a task that has not ended. Return False if it has."""
    changed = connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.status.in_(UNFINISHED))
        .values(status=status, updated_at=now())
    )
    return changed.rowcount == 1


def end_task(
    connection: Connection, task_id: str, kept: int, *, result: Mapping[str, Any] | None = None, message: str = ""
) -> None:
    """
    End a task that has not ended: as a success with a *result*, else as a failure for the reason in *message*.

    Args:
        kept: Microseconds until it is purged.
    """
    moment = now()
    connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.status.in_(UNFINISHED))
        .values(
            status=FAILURE if result is None else SUCCESS,
            result=None if result is None else _json(result),
            message=message,
            updated_at=moment,
            expires_at=moment + kept,
        )
    )
