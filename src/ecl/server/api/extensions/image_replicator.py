"""``/v2/extension/image_replicator/jobs``: copies of images to other regions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import BaseRoute

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import empty, json_response, resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.db.copy_jobs import change_job, fetch_job, insert_job, list_jobs
from ecl.server.domain.access import check_can_download
from ecl.server.domain.copy_job import CANCEL_REQUESTED, CANCELABLE, REPLICATE_REQUESTED, CopyJob, job_to_wire
from ecl.server.errors import BadRequest, Conflict, Forbidden, NotFound
from ecl.server.jobs.copies.replicator import Replicator
from ecl.server.jobs.peers.destinations import Destinations

__all__ = ["replicator_routes"]

_JOBS = "/v2/extension/image_replicator/jobs"
#: Longest tenant ID that is looked up.
_LONGEST_ID = 64


def replicator_routes(replicator: Replicator, destinations: Destinations) -> Sequence[BaseRoute]:
    """Return the routes of the extension."""
    handlers = _Handlers(replicator, destinations)
    return (
        resource(_JOBS, GET=handlers.list_all, POST=handlers.start),
        resource(_JOBS + "/{job_id}", GET=handlers.show, DELETE=handlers.cancel),
    )


class _Handlers:
    def __init__(self, replicator: Replicator, destinations: Destinations) -> None:
        self._replicator = replicator
        self._destinations = destinations

    async def start(self, request: ImageRequest) -> Response:
        """``POST``: check everything that can be known now, write the job down, answer 202."""
        image_id, tenant_id = _wanted(await request.read_json())
        job_id = await run_in_threadpool(self._start, request, image_id, tenant_id)
        self._replicator.notify()
        return json_response({"job_id": job_id}, 202)

    def _start(self, request: ImageRequest, image_id: str, tenant_id: str) -> str:
        service, caller = request.service, request.caller
        region = service.region.name
        # A copy reads the data, so who may not download may not copy.
        with service.database.read() as connection:
            image = visible_image(connection, region, caller, image_id)
        check_can_download(caller, image)
        if caller.project_id is None:
            raise Forbidden("Copying an image needs a token of a project.")
        if image.status != "active":
            raise Conflict(f"Image {image_id} is {image.status}; only an active image can be copied.")
        destination = self._destinations.of_tenant(tenant_id, region)
        destination.check_takes(image)
        job = CopyJob(
            id=str(uuid.uuid4()),
            source_region_id=region,
            source_tenant_id=caller.project_id,
            source_image_id=image.id,
            source_image_name=image.name,
            destination_region_id=destination.region,
            destination_tenant_id=tenant_id,
            destination_image_id=None,
            status=REPLICATE_REQUESTED,
            copy_progress=0,
        )
        with service.database.write() as connection:
            insert_job(connection, job)
        return job.id

    async def list_all(self, request: ImageRequest) -> Response:
        """``GET``: the project's jobs, all of them for an admin, as a bare list."""
        await request.refuse_body()
        return json_response([job_to_wire(job) for job in await run_in_threadpool(_list, request)])

    async def show(self, request: ImageRequest) -> Response:
        """``GET``: one job."""
        await request.refuse_body()
        return json_response(job_to_wire(await run_in_threadpool(_find, request)))

    async def cancel(self, request: ImageRequest) -> Response:
        """``DELETE``: ask for the job to be canceled; the image that it has made so far goes."""
        await request.refuse_body()
        await run_in_threadpool(_cancel, request)
        self._replicator.notify()
        return empty()


def _wanted(body: Any) -> tuple[str, str]:
    """Return image ID and tenant ID of a request. Raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest('The body must be an object: {"image_id": "…", "tenant_id_dst": "…"}.')
    found = []
    for name in ("image_id", "tenant_id_dst"):
        value = body.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
            raise BadRequest(f"'{name}' must be a text of 1 to {_LONGEST_ID} characters.")
        found.append(value)
    return found[0].lower(), found[1]


def _list(request: ImageRequest) -> list[CopyJob]:
    caller = request.caller
    tenant = None if caller.is_admin else caller.project_id or ""
    with request.service.database.read() as connection:
        return list_jobs(connection, request.service.region.name, tenant)


def _find(request: ImageRequest) -> CopyJob:
    """Return the job of the path. Raises NotFound if it is not there, or not for this caller."""
    job_id: str = request.path_params["job_id"]
    with request.service.database.read() as connection:
        job = fetch_job(connection, job_id.lower())
    mine = job is not None and (request.caller.is_admin or job.source_tenant_id == request.caller.project_id)
    if job is None or not mine or job.source_region_id != request.service.region.name:
        raise NotFound(f"There is no copy job '{job_id[:_LONGEST_ID]}'.")
    return job


def _cancel(request: ImageRequest) -> None:
    job = _find(request)
    if not request.caller.can_write:
        raise Forbidden("Canceling a copy needs the role member.")
    with request.service.database.write() as connection:
        canceled = change_job(connection, job.id, CANCELABLE, status=CANCEL_REQUESTED)
    if not canceled:
        raise Conflict(f"Copy job {job.id} has ended, or is being canceled already.")
