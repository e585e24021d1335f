"""``/v2/extension/image_replicator/jobs``: copies of images to other regions."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.db.copy_jobs import change_job, fetch_job, insert_job, jobs_after, newest_jobs
from ecl.server.db.leases import COPIES
from ecl.server.domain.access import check_can_download
from ecl.server.domain.copy_job import CANCEL_REQUESTED, CANCELABLE, REPLICATE_REQUESTED, CopyJob, job_to_wire
from ecl.server.domain.image import Image
from ecl.server.domain.paging import parse_limit
from ecl.server.errors import BadRequest, Conflict, Forbidden, NotFound
from ecl.server.http.routing import empty, json_response
from ecl.server.jobs.copies.rights import check_destination
from ecl.server.jobs.peers.destinations import Destination

__all__ = ["ROUTES"]

_JOBS = "/v2/extension/image_replicator/jobs"
#: Longest image or tenant ID, in characters.
_MAX_ID = 64


async def _create(request: ImageRequest) -> Response:
    image_id, tenant_id = _parse(await request.read_json())
    image = await threads.query(_source, request, image_id)
    accounts, trust = request.service.destinations.accounts, request.service.destinations.trust
    await accounts.in_thread(check_destination, accounts, trust, request.caller, tenant_id)
    destination = await _destination(request, tenant_id)
    if destination.settings.is_remote:
        await threads.ask(destination.check_takes, image)
    else:
        destination.check_takes(image)
    job_id = await threads.change(_start, request, image, destination, tenant_id)
    request.service.replicator.notify()
    return json_response({"job_id": job_id}, 202)


async def _destination(request: ImageRequest, tenant_id: str) -> Destination:
    """Return the region of the tenant. Raises NotFound, and Conflict if a region does not answer."""
    destinations, region = request.service.destinations, request.service.region.name
    here = await destinations.accounts.in_thread(destinations.of_local_tenant, tenant_id, region)
    return here if here is not None else await threads.ask(destinations.of_remote_tenant, tenant_id)


def _source(request: ImageRequest, image_id: str) -> Image:
    """Return the image, if the caller may copy it."""
    service, caller = request.service, request.caller
    region = service.region.name
    # A copy reads the data, so a caller who may not download may not copy.
    with service.database.read() as connection:
        image = visible_image(connection, region, caller, image_id)
    check_can_download(caller, image)
    if caller.project_id is None:
        raise Forbidden("Copying an image needs a token of a project.")
    if image.status != "active":
        raise Conflict(f"Image {image_id} is {image.status}; only an active image can be copied.")
    return image


def _start(request: ImageRequest, image: Image, destination: Destination, tenant_id: str) -> str:
    """Store the job, and return its ID."""
    service, caller = request.service, request.caller
    job = CopyJob(
        id=str(uuid.uuid4()),
        source_region_id=service.region.name,
        source_tenant_id=caller.project_id or "",
        source_image_id=image.id,
        source_image_name=image.name,
        destination_region_id=destination.region,
        destination_tenant_id=tenant_id,
        destination_image_id=None,
        status=REPLICATE_REQUESTED,
        copy_progress=0,
        user_id=caller.user_id,
    )
    with service.database.write() as connection:
        COPIES.check_most(connection, job.source_tenant_id, service.settings.project_jobs)
        insert_job(connection, job)
    return job.id


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    query = dict(request.query())
    limits = request.service.settings.limits
    # The documented list has no pages: without these words it has all jobs, up to the longest page.
    limit = parse_limit(query["limit"], limits) if "limit" in query else None
    jobs = await threads.query(_page, request, limit, query.get("marker"))
    return json_response([job_to_wire(job) for job in jobs])


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response(job_to_wire(await threads.query(_fetch, request)))


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_cancel, request)
    request.service.replicator.notify()
    return empty()


def _parse(body: Any) -> tuple[str, str]:
    """Return the image ID and the tenant ID of a decoded *body*. Raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest('The body must be an object: {"image_id": "…", "tenant_id_dst": "…"}.')
    values = []
    for name in ("image_id", "tenant_id_dst"):
        value = body.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID:
            raise BadRequest(f"'{name}' must be a text of 1 to {_MAX_ID} characters.")
        values.append(value)
    return values[0].lower(), values[1]


def _page(request: ImageRequest, limit: int | None, marker: str | None) -> list[CopyJob]:
    """
    Return jobs of the caller's project, for an administrator of all projects.

    Without *limit* and *marker* these are the newest ones, else the page behind the marker; oldest first in both.
    """
    caller, region = request.caller, request.service.region.name
    tenant = None if caller.is_admin else caller.project_id or ""
    most = request.service.settings.limits.api_limit_max
    with request.service.database.read() as connection:
        if limit is None and marker is None:
            return newest_jobs(connection, region, tenant, most)
        page = jobs_after(
            connection, region, tenant, None if marker is None else marker.lower(), most if limit is None else limit
        )
    if page is None:
        raise BadRequest(f"The marker '{(marker or '')[:_MAX_ID]}' is not the ID of one of your copy jobs.")
    return page


def _fetch(request: ImageRequest) -> CopyJob:
    """Return the job of the path. Raises NotFound if it does not exist or is not the caller's."""
    job_id: str = request.path_params["job_id"]
    with request.service.database.read() as connection:
        job = fetch_job(connection, job_id.lower())
    is_visible = job is not None and (request.caller.is_admin or job.source_tenant_id == request.caller.project_id)
    if job is None or not is_visible or job.source_region_id != request.service.region.name:
        raise NotFound(f"There is no copy job '{job_id[:_MAX_ID]}'.")
    return job


def _cancel(request: ImageRequest) -> None:
    job = _fetch(request)
    if not request.caller.can_write:
        raise Forbidden("Canceling a copy needs the role member.")
    with request.service.database.write() as connection:
        canceled = change_job(connection, job.id, CANCELABLE, status=CANCEL_REQUESTED)
    if not canceled:
        raise Conflict(f"Copy job {job.id} has ended, or is being canceled already.")


ROUTES = (
    resource(_JOBS, GET=_list, POST=_create),
    resource(_JOBS + "/{job_id}", GET=_show, DELETE=_delete),
)
