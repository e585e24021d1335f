"""``/v2/tasks`` and ``/v2/images/{id}/tasks``: start import tasks, and show running and ended ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.paging import page_response
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.images import add_image
from ecl.server.api.images.lookup import visible_image
from ecl.server.api.imports.new_task import add_task
from ecl.server.data.web.addresses import parse_target
from ecl.server.db.engine import retried
from ecl.server.db.tasks import fetch_task, list_tasks, tasks_of_image
from ecl.server.domain.access import is_owner
from ecl.server.domain.caller import Caller
from ecl.server.domain.creation import new_image
from ecl.server.domain.ids import is_uuid
from ecl.server.domain.paging import SortKey, parse_limit
from ecl.server.domain.task import IMPORT, STATUSES, Task, image_task_to_wire, task_to_wire
from ecl.server.errors import BadRequest, Forbidden, NotFound
from ecl.server.http.routing import json_response
from ecl.server.settings.model import ImageLimits

__all__ = ["ROUTES"]

#: Most characters of the address of an import.
_MAX_URL = 2048
_SORT_KEYS = ("created_at", "updated_at", "id", "status", "type")


def _check_can_use_tasks(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may use ``/v2/tasks``."""
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
    def order(self) -> list[SortKey]:
        """The order, made total."""
        return [SortKey(name, self.descending) for name in dict.fromkeys((self.sort_key, "created_at", "id"))]


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    _check_can_use_tasks(request.caller)
    parameters = request.query()
    query = _parse(parameters, request.service.settings.limits)
    page = await threads.query(_page, request, query)
    is_full = len(page) == query.limit > 0
    marker = page[-1].id if is_full else None
    return page_response("tasks", [task_to_wire(task, details=False) for task in page], parameters, marker)


def _parse(parameters: Sequence[tuple[str, str]], limits: ImageLimits) -> _Query:
    """Return the query in the *parameters*; unknown ones are ignored. Raises BadRequest."""
    query = _Query(limits.limit_param_default)
    for name, value in parameters:
        if name == "limit":
            query.limit = parse_limit(value, limits)
        elif name == "marker":
            if not is_uuid(value.lower()):
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
        return list_tasks(connection, region, query.filters, query.order, marker, query.limit)


def _task(connection: Connection, region: str, task_id: str) -> Task:
    task = fetch_task(connection, region, task_id)
    if task is None:
        raise NotFound(f"There is no task '{task_id[:64]}'.")
    return task


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    _check_can_use_tasks(request.caller)
    return json_response(task_to_wire(await threads.query(_fetch, request)))


def _fetch(request: ImageRequest) -> Task:
    with request.service.database.read() as connection:
        return _task(connection, request.service.region.name, request.path_params["task_id"].lower())


async def _of_image(request: ImageRequest) -> Response:
    await request.refuse_body()
    tasks = await threads.query(_fetch_of_image, request, request.image_id)
    return json_response({"tasks": [image_task_to_wire(task) for task in tasks]})


def _fetch_of_image(request: ImageRequest, image_id: str) -> list[Task]:
    region, caller = request.service.region.name, request.caller
    with request.service.database.read() as connection:
        image = visible_image(connection, region, caller, image_id)
        tasks = tasks_of_image(connection, region, image_id)
    if not (caller.is_admin or is_owner(caller, image)):
        # The URL of a download may contain a secret, as signed URLs do.
        for task in tasks:
            task.input, task.message = {"image_id": image_id}, ""
    return tasks


async def _create(request: ImageRequest) -> Response:
    _check_can_use_tasks(request.caller)
    task = await threads.change(_start, request, await request.read_json())
    request.service.importer.notify()
    wire = task_to_wire(task)
    return json_response(wire, 201, {"Location": request.endpoint + wire["self"]})


@retried
def _start(request: ImageRequest, body: object) -> Task:
    """Make the image that the task is to fill, and store the task."""
    service = request.service
    region = service.region
    if not isinstance(body, dict) or body.get("type") != IMPORT:
        raise BadRequest("A task needs a 'type', and the only one is 'import'.")
    task_input = body.get("input")
    if not isinstance(task_input, dict):
        raise BadRequest("A task needs an 'input', which must be an object.")
    origin, disk_format = task_input.get("import_from"), task_input.get("import_from_format")
    properties = task_input.get("image_properties")
    if (
        not isinstance(origin, str)
        or len(origin) > _MAX_URL
        or not isinstance(disk_format, str)
        or not isinstance(properties, dict)
    ):
        raise BadRequest("An import task needs 'import_from', 'import_from_format' and 'image_properties'.")
    parse_target(origin, service.settings.imports)
    attributes = {"disk_format": disk_format, "container_format": "bare", **properties}
    image = new_image(attributes, request.caller, region.settings, service.settings.limits)
    arguments = {name: task_input[name] for name in ("import_from", "import_from_format", "image_properties")}
    import_request = {"method": {"name": "web-download", "uri": origin}}
    with service.database.write() as connection:
        add_image(request, connection, image)
        task_input = {**arguments, "import_req": import_request, "backend": [region.store.name]}
        return add_task(request, connection, image, IMPORT, task_input)


ROUTES = (
    resource("/v2/tasks", GET=_list, POST=_create),
    resource("/v2/tasks/{task_id}", GET=_show),
    resource("/v2/images/{image_id}/tasks", GET=_of_image),
)
