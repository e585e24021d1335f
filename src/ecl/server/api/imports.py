"""``/v2/images/{id}/import``, ``/v2/images/{id}/locations`` and ``/v2/tasks``: what begins a task."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute

from ecl.server.api.images import add_image
from ecl.server.api.locations import list_locations, parse_location
from ecl.server.api.lookup import changeable_image
from ecl.server.api.request import ImageRequest
from ecl.server.api.routing import empty, json_response, resource
from ecl.server.api.tasks import check_can_use_tasks, list_of_tasks
from ecl.server.clock import now
from ecl.server.db.images import update_image
from ecl.server.db.tasks import insert_task
from ecl.server.db.usage import usage_of
from ecl.server.domain.creation import new_image
from ecl.server.domain.image import Image
from ecl.server.domain.import_request import (
    FAILED_IMPORT,
    IMPORT_TASK,
    IMPORTING_TO,
    ImportRequest,
    check_importable,
    parse_import,
    remote_image_of,
    target_stores,
    uri_of,
)
from ecl.server.domain.task import API_IMAGE_IMPORT, IMPORT, LOCATION_IMPORT, PENDING, Task, task_to_wire
from ecl.server.domain.usage import check_share, has_shares
from ecl.server.errors import BadRequest, Conflict, Forbidden
from ecl.server.importer.addresses import parse_target
from ecl.server.importer.importer import Importer

__all__ = ["import_routes"]


def import_routes(importer: Importer) -> Sequence[BaseRoute]:
    """Return the routes of what *importer* does."""
    handlers = _Handlers(importer)
    return (
        resource("/v2/images/{image_id}/import", POST=handlers.start),
        resource("/v2/images/{image_id}/locations", GET=list_locations, POST=handlers.add_location),
        resource("/v2/tasks", GET=list_of_tasks, POST=handlers.create_task),
    )


class _Handlers:
    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    async def start(self, request: ImageRequest) -> Response:
        """``POST import``: check everything that can be known now, write the task down, answer 202."""
        body = await request.read_json()
        wanted = parse_import(body, request.service.settings.imports)
        await run_in_threadpool(_start, request, request.image_id, wanted, body)
        self._importer.notify()
        return empty(202)

    async def add_location(self, request: ImageRequest) -> Response:
        """``POST locations``: the data at a URL becomes the image's; here it is fetched, not only pointed to."""
        url, validation = parse_location(await request.read_json())
        await run_in_threadpool(_start_location, request, request.image_id, url, validation)
        self._importer.notify()
        return empty(202)

    async def create_task(self, request: ImageRequest) -> Response:
        """``POST /v2/tasks``: make an image and fetch its data."""
        check_can_use_tasks(request.caller)
        task = await run_in_threadpool(_create_task, request, await request.read_json())
        self._importer.notify()
        wire = task_to_wire(task)
        return json_response(wire, 201, {"Location": request.endpoint + wire["self"]})


def _start(request: ImageRequest, image_id: str, wanted: ImportRequest, body: dict[str, Any]) -> None:
    service, caller = request.service, request.caller
    region = service.region
    with service.database.write() as connection:
        image = changeable_image(connection, region.name, caller, image_id)
        check_importable(image, wanted.method)
        if wanted.method == "web-download":
            parse_target(uri_of(wanted), service.settings.imports)
        if wanted.method == "glance-download":
            # A region that is not known is the task's to tell, as by a Glance.
            remote_image_of(wanted)
        targets = target_stores(wanted, region, request.headers.get("x-image-meta-store"))
        if wanted.method == "copy-image" and not caller.is_admin:
            raise Forbidden("Copying an image to other stores needs the role admin.")
        if wanted.method == "copy-image":
            targets = _without_holders(image, targets, wanted)
            if not targets:
                return
        _check_room(request, connection, image, len(targets))
        input_ = {"image_id": image_id, "import_req": body, "backend": targets}
        _insert(request, connection, image, API_IMAGE_IMPORT, input_)


def _without_holders(image: Image, targets: list[str], wanted: ImportRequest) -> list[str]:
    """Return the stores that do not have the image yet. Raises BadRequest if one was named that has."""
    holders = [name for name in targets if name in image.stores]
    if holders and not wanted.all_stores:
        raise BadRequest(f"The store {holders[0]} has image {image.id} already.")
    return [name for name in targets if name not in holders]


def _check_room(request: ImageRequest, connection: Connection, image: Image, copies: int) -> None:
    limits = request.service.settings.limits
    if has_shares(limits):
        usage = usage_of(connection, request.service.region.name, image.owner)
        check_share(limits, usage, "image_size_total", (image.size or 0) * copies)


def _insert(request: ImageRequest, connection: Connection, image: Image, kind: str, input_: dict[str, Any]) -> Task:
    """Write a task down, and mark *image* as the one that it is about."""
    caller, region = request.caller, request.service.region.name
    moment = now()
    task = Task(
        id=str(uuid.uuid4()),
        region=region,
        type=kind,
        status=PENDING,
        image_id=image.id,
        owner=caller.project_id,
        user_id=caller.user_id,
        request_id=request.scope.get("ecl.request_id"),
        input=input_,
        result=None,
        message="",
        created_at=moment,
        updated_at=moment,
        expires_at=None,
    )
    insert_task(connection, task)
    marked = image.copy()
    marked.properties |= {
        IMPORT_TASK: task.id,
        IMPORTING_TO: ",".join(input_["backend"]),
        FAILED_IMPORT: "",
    }
    update_image(connection, region, image, marked)
    return task


def _start_location(request: ImageRequest, image_id: str, url: str, validation: dict[str, str]) -> None:
    service, caller = request.service, request.caller
    region = service.region
    with service.database.write() as connection:
        image = changeable_image(connection, region.name, caller, image_id)
        if "web-download" not in service.settings.imports.methods:
            raise Forbidden("This service fetches no data from addresses.")
        if not url.startswith(("http://", "https://")):
            refusal = BadRequest if caller.is_admin else Forbidden
            raise refusal("The address of a location must begin with http:// or https://.")
        parse_target(url, service.settings.imports)
        if image.status != "queued":
            raise Conflict(f"Image {image_id} is {image.status}; a location can only be added while it is queued.")
        check_importable(image, "web-download")
        body = {"method": {"name": "web-download", "uri": url}}
        input_ = {
            "image_id": image_id,
            "loc_url": url,
            "validation_data": validation,
            "import_req": body,
            "backend": [region.store.name],
        }
        _insert(request, connection, image, LOCATION_IMPORT, input_)


def _create_task(request: ImageRequest, body: object) -> Task:
    service = request.service
    region = service.region
    if not isinstance(body, dict) or body.get("type") != IMPORT:
        raise BadRequest("A task needs a 'type', and the only one is 'import'.")
    input_ = body.get("input")
    if not isinstance(input_, dict):
        raise BadRequest("A task needs an 'input', which must be an object.")
    origin, disk_format = input_.get("import_from"), input_.get("import_from_format")
    properties = input_.get("image_properties")
    if not isinstance(origin, str) or not isinstance(disk_format, str) or not isinstance(properties, dict):
        raise BadRequest("An import task needs 'import_from', 'import_from_format' and 'image_properties'.")
    parse_target(origin, service.settings.imports)
    described = {"disk_format": disk_format, "container_format": "bare", **properties}
    image = new_image(described, request.caller, region.settings, service.settings.limits)
    kept = {name: input_[name] for name in ("import_from", "import_from_format", "image_properties")}
    request_of = {"method": {"name": "web-download", "uri": origin}}
    with service.database.write() as connection:
        add_image(request, connection, image)
        all_of_it = {**kept, "import_req": request_of, "backend": [region.store.name]}
        return _insert(request, connection, image, IMPORT, all_of_it)
