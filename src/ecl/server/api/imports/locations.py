"""``/v2/images/{id}/locations``: where the bytes of an image are, and where they are to be had from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import json_response
from ecl.server.api.images.lookup import visible_image
from ecl.server.domain.access import check_can_see_locations
from ecl.server.errors import BadRequest

__all__ = ["list_locations", "parse_location"]

_LONGEST_URL = 2048
#: Hashes that a client may announce, with the length of their hexadecimal form.
_HASHES = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


async def list_locations(request: ImageRequest) -> Response:
    """``GET``: the addresses of the bytes, for administrators and other services."""
    await request.refuse_body()
    return json_response(await run_in_threadpool(_locations, request, request.image_id))


def _locations(request: ImageRequest, image_id: str) -> list[dict[str, Any]]:
    region, caller = request.service.region, request.caller
    if "service" in caller.roles:
        # Of the images that its project sees another service is told where they are, though it may not show them.
        caller = replace(caller, roles=caller.roles | {"reader"})
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, caller, image_id)
    check_can_see_locations(caller)
    stores = [region.store_named(name) for name in image.stores]
    return [{"url": store.url(image.id), "metadata": {"store": store.name}} for store in stores if store is not None]


def parse_location(body: object) -> tuple[str, dict[str, str]]:
    """
    Return the URL and the announced hash (``os_hash_algo``, ``os_hash_value``, or nothing) of a decoded *body*.

    Raises:
        BadRequest: It is no location.
    """
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(url, str) or not 0 < len(url) <= _LONGEST_URL:
        raise BadRequest("A location needs a 'url', a text.")
    announced = body.get("validation_data", {})
    if not isinstance(announced, dict) or announced.keys() - {"os_hash_algo", "os_hash_value"}:
        raise BadRequest("'validation_data' must be an object with os_hash_algo and os_hash_value.")
    if not announced:
        return url, {}
    algorithm, value = announced.get("os_hash_algo"), announced.get("os_hash_value")
    if not isinstance(algorithm, str) or not isinstance(value, str):
        raise BadRequest("'validation_data' needs both os_hash_algo and os_hash_value.")
    if _HASHES.get(algorithm) != len(value) or not _HEX.fullmatch(value):
        known = ", ".join(_HASHES)
        raise BadRequest(f"'os_hash_algo' must be one of {known}, and 'os_hash_value' its lower-case hexadecimal form.")
    return url, {"os_hash_algo": algorithm, "os_hash_value": value}
