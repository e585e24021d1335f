"""``/v2/tasks`` and ``/v2/images/{id}/tasks``: what the service is doing, or did, after it had answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import json_response, resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.db.tasks import fetch_task, list_tasks, tasks_of_image
from ecl.server.domain.access import is_owner
from ecl.server.domain.filters import parse_integer
from ecl.server.domain.listing import page_links
from ecl.server.domain.task import IMPORT, STATUSES, Task, image_task_to_wire, task_to_wire
from ecl.server.errors import BadRequest, Forbidden, NotFound
from ecl.server.identity.caller import Caller
from ecl.server.settings.model import ImageLimits

__all__ = ["ROUTES", "check_can_use_tasks", "list_of_tasks"]

_SORT_KEYS = ("created_at", "updated_at", "id", "status", "type")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_can_use_tasks(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may see and make tasks as such."""
    if not caller.is_admin:
        raise Forbidden("Tasks need the role admin.")


@dataclass(slots=True)
class _Query:
    limit: int
    marker: str | None = None
    sort_key: str = "created_at"
    descending: bool = True
    filters: dict[str, str] = field(default_factory=dict)

    @property
    def sort(self) -> list[tuple[str, bool]]:
        """The order, made total."""
        keys = dict.fromkeys((self.sort_key, "created_at", "id"))
        return [(key, self.descending) for key in keys]


async def list_of_tasks(request: ImageRequest) -> Response:
    """``GET /v2/tasks``: one page."""
    await request.refuse_body()
    check_can_use_tasks(request.caller)
    parameters = request.query()
    query = _parse(parameters, request.service.settings.limits)
    page = await run_in_threadpool(_page, request, query)
    is_full = len(page) == query.limit > 0
    first, following = page_links("/v2/tasks", parameters, page[-1].id if is_full else None)
    body = {"tasks": [task_to_wire(task, whole=False) for task in page], "first": first, "schema": "/v2/schemas/tasks"}
    if following is not None:
        body["next"] = following
    return json_response(body)


def _parse(parameters: Sequence[tuple[str, str]], limits: ImageLimits) -> _Query:
    """Return what the parameters ask for; unknown ones ask for nothing. Raises BadRequest."""
    query = _Query(limits.limit_param_default)
    for name, value in parameters:
        if name == "limit":
            query.limit = min(parse_integer(name, value), limits.api_limit_max)
            if query.limit < 0:
                raise BadRequest("The parameter 'limit' must not be negative.")
        elif name == "marker":
            if not _UUID.fullmatch(value.lower()):
                raise BadRequest("The parameter 'marker' must be the ID of a task.")
            query.marker = value.lower()
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                raise BadRequest(f"The parameter '{name}' must be one of: {', '.join(_CHOICES[name])}.")
            if name == "sort_key":
                query.sort_key = value
            elif name == "sort_dir":
                query.descending = value == "desc"
            else:
                query.filters[name] = value
    return query


_CHOICES = {"status": STATUSES, "type": (IMPORT,), "sort_key": _SORT_KEYS, "sort_dir": ("asc", "desc")}


def _page(request: ImageRequest, query: _Query) -> list[Task]:
    region = request.service.region.name
    with request.service.database.read() as connection:
        marker = None
        if query.marker is not None:
            marker = fetch_task(connection, region, query.marker)
            if marker is None:
                raise BadRequest(f"The marker '{query.marker}' is not the ID of a task.")
        return list_tasks(connection, region, query.filters, query.sort, marker, query.limit)


def _task(connection: Connection, region: str, task_id: str) -> Task:
    task = fetch_task(connection, region, task_id)
    if task is None:
        raise NotFound(f"There is no task '{task_id[:64]}'.")
    return task


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    check_can_use_tasks(request.caller)
    return json_response(task_to_wire(await run_in_threadpool(_fetch, request)))


def _fetch(request: ImageRequest) -> Task:
    with request.service.database.read() as connection:
        return _task(connection, request.service.region.name, request.path_params["task_id"].lower())


async def _of_image(request: ImageRequest) -> Response:
    await request.refuse_body()
    tasks = await run_in_threadpool(_fetch_of_image, request, request.image_id)
    return json_response({"tasks": [image_task_to_wire(task) for task in tasks]})


def _fetch_of_image(request: ImageRequest, image_id: str) -> list[Task]:
    region, caller = request.service.region.name, request.caller
    with request.service.database.read() as connection:
        image = visible_image(connection, region, caller, image_id)
        tasks = tasks_of_image(connection, region, image_id)
    if not (caller.is_admin or is_owner(caller, image)):
        # The address of a download may hold a secret: a signed URL is a key to what it names.
        for task in tasks:
            task.input, task.message = {"image_id": image_id}, ""
    return tasks


ROUTES = (
    resource("/v2/tasks/{task_id}", GET=_show),
    resource("/v2/images/{image_id}/tasks", GET=_of_image),
)
