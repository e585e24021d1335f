"""A task: work on an image that goes on after the response. Its statuses and its JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecl.server.clock import iso_microseconds, iso_seconds

__all__ = [
    "API_IMAGE_IMPORT",
    "FAILURE",
    "IMPORT",
    "LOCATION_IMPORT",
    "PENDING",
    "PROCESSING",
    "STATUSES",
    "SUCCESS",
    "UNFINISHED",
    "Task",
    "image_task_to_wire",
    "task_to_wire",
]

PENDING = "pending"
PROCESSING = "processing"
SUCCESS = "success"
FAILURE = "failure"
STATUSES = (PENDING, PROCESSING, SUCCESS, FAILURE)
#: Statuses of tasks that have not ended.
UNFINISHED = frozenset({PENDING, PROCESSING})

#: Types, by the request that started the task: import of an image, ``POST /v2/tasks``, new location.
API_IMAGE_IMPORT = "api_image_import"
IMPORT = "import"
LOCATION_IMPORT = "location_import"

#: What the service adds to the input of a task of ``POST /v2/tasks``.
_ADDED_INPUT = frozenset({"import_req", "backend"})


@dataclass(slots=True)
class Task:
    """One task. Times are in microseconds since the epoch."""

    id: str
    region: str
    type: str
    status: str
    image_id: str | None
    owner: str | None
    user_id: str | None
    request_id: str | None
    #: The arguments of the request.
    input: dict[str, Any]
    result: dict[str, Any] | None
    #: Why it failed, for people; empty without a failure.
    message: str
    created_at: int
    updated_at: int
    #: None until it has ended.
    expires_at: int | None


def task_to_wire(task: Task, *, details: bool = True) -> dict[str, Any]:
    """Return *task* as ``/v2/tasks`` shows it; without *details* as an item of the list."""
    wire: dict[str, Any] = {
        "id": task.id,
        "type": task.type,
        "status": task.status,
        "owner": task.owner,
        "created_at": iso_seconds(task.created_at),
        "updated_at": iso_seconds(task.updated_at),
        "self": f"/v2/tasks/{task.id}",
        "schema": "/v2/schemas/task",
    }
    for name in ("image_id", "request_id", "user_id"):
        if getattr(task, name) is not None:
            wire[name] = getattr(task, name)
    if task.expires_at is not None:
        wire["expires_at"] = iso_seconds(task.expires_at)
    if details:
        hidden = _ADDED_INPUT if task.type == IMPORT else frozenset()
        wire |= {
            "input": {name: value for name, value in task.input.items() if name not in hidden},
            "result": task.result,
            "message": task.message,
        }
    return wire


def image_task_to_wire(task: Task) -> dict[str, Any]:
    """Return *task* as ``/v2/images/{id}/tasks`` shows it: times there have microseconds and no zone."""
    return {
        "id": task.id,
        "type": task.type,
        "status": task.status,
        "owner": task.owner,
        "expires_at": None if task.expires_at is None else iso_microseconds(task.expires_at),
        "created_at": iso_microseconds(task.created_at),
        "updated_at": iso_microseconds(task.updated_at),
        "deleted_at": None,
        "deleted": False,
        "image_id": task.image_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
        "input": task.input,
        "result": task.result,
        "message": task.message,
    }
