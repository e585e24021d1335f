"""``/v2/images/{id}/members``: the projects that a shared image is shared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.db import members as db
from ecl.server.db.engine import retried
from ecl.server.domain.access import check_can_change, is_owner
from ecl.server.domain.image import Image
from ecl.server.domain.member import MEMBER_STATUSES, Member, member_to_wire
from ecl.server.errors import BadRequest, Conflict, Forbidden, NotFound, ServiceError, TooLarge
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]

_MAX_MEMBER_ID = 255


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    members = await threads.query(_visible_members, request, request.image_id)
    return json_response({"members": [member_to_wire(member) for member in members], "schema": "/v2/schemas/members"})


def _visible_members(request: ImageRequest, image_id: str) -> list[Member]:
    region, caller = request.service.region.name, request.caller
    with request.service.database.read() as connection:
        image = _shared_image(connection, request, image_id, Forbidden)
        if caller.is_admin or is_owner(caller, image):
            return db.list_members(connection, region, image_id)
        # An invited project sees its own invitation only.
        member = db.fetch_member(connection, region, image_id, caller.project_id or "")
        return [member] if member else []


async def _create(request: ImageRequest) -> Response:
    member_id = _member_of(await request.read_json())
    member = await threads.change(_invite, request, request.image_id, member_id)
    return json_response(member_to_wire(member))


@retried
def _invite(request: ImageRequest, image_id: str, member_id: str) -> Member:
    region = request.service.region.name
    maximum = request.service.settings.limits.image_member_quota
    with request.service.database.write() as connection:
        image = _shared_image(connection, request, image_id, Forbidden)
        check_can_change(request.caller, image)
        if db.fetch_member(connection, region, image_id, member_id) is not None:
            raise Conflict(f"Project {member_id} is a member of image {image_id} already.")
        if db.count_members(connection, region, image_id) >= maximum:
            raise TooLarge(f"An image may have at most {maximum} members.")
        return db.insert_member(connection, region, image_id, member_id)


async def _show(request: ImageRequest) -> Response:
    await request.refuse_body()
    member = await threads.query(_fetch, request, request.image_id, request.path_params["member_id"])
    return json_response(member_to_wire(member))


def _fetch(request: ImageRequest, image_id: str, member_id: str) -> Member:
    with request.service.database.read() as connection:
        image = _shared_image(connection, request, image_id, NotFound)
        return _visible_member(connection, request, image, member_id)


async def _update(request: ImageRequest) -> Response:
    status = _status_of(await request.read_json())
    member_id = request.path_params["member_id"]
    member = await threads.change(_answer, request, request.image_id, member_id, status)
    return json_response(member_to_wire(member))


@retried
def _answer(request: ImageRequest, image_id: str, member_id: str, status: Any) -> Member:
    caller = request.caller
    with request.service.database.write() as connection:
        image = _shared_image(connection, request, image_id, Forbidden)
        member = _visible_member(connection, request, image, member_id)
        if not caller.is_admin and (member_id != caller.project_id or not caller.can_write):
            raise Forbidden("Only a member of the invited project may accept or reject an image.")
        if status not in MEMBER_STATUSES:
            raise BadRequest(f"The status of a member is one of: {', '.join(MEMBER_STATUSES)}.")
        db.set_member_status(connection, request.service.region.name, member, status)
        return member


async def _delete(request: ImageRequest) -> Response:
    await request.refuse_body()
    await threads.change(_uninvite, request, request.image_id, request.path_params["member_id"])
    return empty()


@retried
def _uninvite(request: ImageRequest, image_id: str, member_id: str) -> None:
    region = request.service.region.name
    with request.service.database.write() as connection:
        image = _shared_image(connection, request, image_id, Forbidden)
        _visible_member(connection, request, image, member_id)
        check_can_change(request.caller, image)
        db.remove_member(connection, region, image_id, member_id)


def _shared_image(
    connection: Connection,
    request: ImageRequest,
    image_id: str,
    error: Callable[[str], ServiceError],
) -> Image:
    """Return the image, which the caller sees. Raises *error* unless it is shared."""
    image = visible_image(connection, request.service.region.name, request.caller, image_id)
    if image.visibility != "shared":
        raise error(f"Only a shared image has members; image {image_id} is {image.visibility}.")
    return image


def _visible_member(connection: Connection, request: ImageRequest, image: Image, member_id: str) -> Member:
    """Return the member. Raises NotFound if there is none, or the caller may not see it."""
    caller = request.caller
    member = None
    if caller.is_admin or is_owner(caller, image) or member_id == caller.project_id:
        member = db.fetch_member(connection, request.service.region.name, image.id, member_id)
    if member is None:
        raise NotFound(f"Image {image.id} has no member {member_id[:_MAX_MEMBER_ID]}.")
    return member


def _member_of(body: Any) -> str:
    member_id = body.get("member") if isinstance(body, dict) else None
    if isinstance(member_id, int) and not isinstance(member_id, bool):
        # As in Glance: some clouds have numeric project IDs, and clients send them as numbers.
        member_id = str(member_id)
    if not isinstance(member_id, str) or not member_id or len(member_id) > _MAX_MEMBER_ID:
        raise BadRequest(
            f"The body must be a JSON object with 'member', a project ID of at most {_MAX_MEMBER_ID} characters."
        )
    return member_id


def _status_of(body: Any) -> Any:
    """Return the status, unchecked: a caller who may not answer gets Forbidden first."""
    if not isinstance(body, dict) or "status" not in body:
        raise BadRequest(f"The body must be a JSON object with 'status', one of: {', '.join(MEMBER_STATUSES)}.")
    return body["status"]


ROUTES = (
    resource("/v2/images/{image_id}/members", GET=_list, POST=_create),
    resource("/v2/images/{image_id}/members/{member_id}", GET=_show, PUT=_update, DELETE=_delete),
)
