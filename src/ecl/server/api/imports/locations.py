"""``/v2/images/{id}/locations``: the URLs of an image's data, and a URL to fetch data from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import changeable_image, visible_image
from ecl.server.api.imports.new_task import add_task
from ecl.server.data.web.addresses import parse_target
from ecl.server.db.engine import retried
from ecl.server.domain.access import check_can_see_locations
from ecl.server.domain.import_request import check_importable
from ecl.server.domain.location import HASH_LENGTHS
from ecl.server.domain.task import LOCATION_IMPORT
from ecl.server.errors import BadRequest, Conflict, Forbidden
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]

_MAX_URL = 2048
_HEX = re.compile(r"[0-9a-f]+")


async def _list(request: ImageRequest) -> Response:
    await request.refuse_body()
    return json_response(await threads.query(_locations, request, request.image_id))


def _locations(request: ImageRequest, image_id: str) -> list[dict[str, Any]]:
    """Return the URLs of the image's data, for administrators and other services."""
    region, caller = request.service.region, request.caller
    if "service" in caller.roles:
        # The role service alone may not show images, but it may see the locations of those that its project sees.
        caller = replace(caller, roles=caller.roles | {"reader"})
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, caller, image_id)
    check_can_see_locations(caller)
    found = [(region.store_named(name), image.stores[name]) for name in region.by_weight(image.stores)]
    return [{"url": store.url(key), "metadata": {"store": store.name}} for store, key in found if store is not None]


def _parse(body: object) -> tuple[str, dict[str, str]]:
    """
    Return the URL and the declared hash (``os_hash_algo`` and ``os_hash_value``, or nothing) in a decoded *body*.

    Raises:
        BadRequest: It is not a location.
    """
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(url, str) or not 0 < len(url) <= _MAX_URL:
        raise BadRequest("A location needs a 'url', a text.")
    declared = body.get("validation_data", {})
    if not isinstance(declared, dict) or declared.keys() - {"os_hash_algo", "os_hash_value"}:
        raise BadRequest("'validation_data' must be an object with os_hash_algo and os_hash_value.")
    if not declared:
        return url, {}
    algorithm, value = declared.get("os_hash_algo"), declared.get("os_hash_value")
    if not isinstance(algorithm, str) or not isinstance(value, str):
        raise BadRequest("'validation_data' needs both os_hash_algo and os_hash_value.")
    if HASH_LENGTHS.get(algorithm) != len(value) or not _HEX.fullmatch(value):
        known = ", ".join(HASH_LENGTHS)
        raise BadRequest(f"'os_hash_algo' must be one of {known}, and 'os_hash_value' its lower-case hexadecimal form.")
    return url, {"os_hash_algo": algorithm, "os_hash_value": value}


async def _add(request: ImageRequest) -> Response:
    url, validation = _parse(await request.read_json())
    await threads.change(_start, request, request.image_id, url, validation)
    request.service.importer.notify()
    return empty(202)


@retried
def _start(request: ImageRequest, image_id: str, url: str, validation: dict[str, str]) -> None:
    """Store the task that fetches the data at *url*: the image gets a copy, not a reference."""
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
        task_input = {
            "image_id": image_id,
            "loc_url": url,
            "validation_data": validation,
            "import_req": body,
            "backend": [region.store.name],
        }
        add_task(request, connection, image, LOCATION_IMPORT, task_input)


ROUTES = (resource("/v2/images/{image_id}/locations", GET=_list, POST=_add),)
