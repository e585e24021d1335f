"""``/locations`` in an update of an image: locations are added, replaced and removed, if the settings allow that."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.images.lookup import changeable_image
from ecl.server.data.region import Region
from ecl.server.data.store.base import StoreUnavailable
from ecl.server.data.web.store import HttpReader
from ecl.server.db.garbage import Garbage
from ecl.server.db.images import change_status, fetch_image
from ecl.server.db.locations import add_address, discard_locations, set_details
from ecl.server.db.usage import check_quota
from ecl.server.domain.image import Image
from ecl.server.domain.json_patch import Operation
from ecl.server.domain.location import (
    ELSEWHERE,
    NewLocation,
    check_locations_open,
    check_new_location,
    declared_hashes,
    position_of,
)
from ecl.server.domain.status import ACTIVE, QUEUED
from ecl.server.errors import BadRequest, Conflict, Forbidden, TooLarge

__all__ = ["change_locations", "locations_to_wire", "sizes_elsewhere"]


def locations_to_wire(region: Region, image: Image) -> list[dict[str, object]]:
    """Return the locations of *image* as clients see them, the one that is read first at the beginning."""
    wire: list[dict[str, object]] = []
    for name in region.by_weight(image.stores):
        store = region.store_named(name)
        if name in image.addresses:
            url, details = image.addresses[name]
            wire.append({"url": url, "metadata": {**details, "store": name}})
        elif store is not None:
            wire.append({"url": store.url(image.stores[name]), "metadata": {"store": name}})
    return wire


async def sizes_elsewhere(request: ImageRequest, operations: Sequence[Operation]) -> dict[str, int]:
    """
    Ask each new address in *operations* how many bytes it has, after checking that the caller may add it.

    Raises:
        BadRequest: The address is not allowed, or does not answer as it should.
    """
    urls = [value["url"] for operation in operations for value in _values(operation)]
    return await threads.fetch(_ask, request, request.image_id, urls)


def _values(operation: Operation) -> list[dict[str, Any]]:
    if operation.verb == "remove":
        return []
    return [operation.value] if operation.verb == "add" else operation.value


def _ask(request: ImageRequest, image_id: str, urls: Sequence[str]) -> dict[str, int]:
    service = request.service
    with service.database.read() as connection:
        image = changeable_image(connection, service.region.name, request.caller, image_id)
    known = _urls(service.region, image)
    most = service.settings.limits.image_size_cap
    sizes = {}
    for url in dict.fromkeys(urls):
        if url in known or image.status not in (QUEUED, ACTIVE):
            continue
        new = NewLocation.of({"url": url, "metadata": {}})
        try:
            reader = HttpReader(new.url, service.settings.imports)
        except StoreUnavailable as exc:
            raise BadRequest(f"The location cannot be read: {exc}") from exc
        sizes[url] = reader.size
        reader.close()
        if sizes[url] > most:
            raise TooLarge(f"An image may have at most {most} bytes; the data there has {sizes[url]}.")
    return sizes


def change_locations(
    request: ImageRequest,
    connection: Connection,
    image_id: str,
    operations: Sequence[Operation],
    sizes: Mapping[str, int],
) -> list[Garbage]:
    """
    Apply *operations* on the locations of an image that the caller may change, in order.

    Args:
        sizes: From `sizes_elsewhere`.

    Returns:
        The data to remove after the transaction.

    Raises:
        BadRequest: A location cannot be used, or no location is at the position.
        Conflict: The image has another status, other hashes, or a location elsewhere.
        Forbidden: Only administrators remove locations, and not the last one, nor one in a store that is read-only.
        TooLarge: The project's quota is used up.
    """
    region = request.service.region
    garbage: list[Garbage] = []
    for operation in operations:
        image = fetch_image(connection, region.name, image_id)
        assert image is not None
        if operation.verb == "remove":
            if not request.caller.is_admin:
                raise Forbidden("Removing a location needs the role admin.")
            garbage += _remove(region, connection, image, operation.position)
        elif operation.verb == "add":
            if operation.position != "-" and not str(operation.position).isdecimal():
                raise BadRequest(
                    f"There is no place {str(operation.position)[:40]!r} for a location: use - or a number."
                )
            _add(request, connection, image, operation.value, sizes)
        else:
            _replace(request, connection, image, operation.value, sizes)
    return garbage


def _urls(region: Region, image: Image) -> list[str]:
    return [str(location["url"]) for location in locations_to_wire(region, image)]


def _add(
    request: ImageRequest, connection: Connection, image: Image, value: Mapping[str, Any], sizes: Mapping[str, int]
) -> None:
    service, region = request.service, request.service.region.name
    new = NewLocation.of(value)
    check_locations_open(image)
    hashes = declared_hashes(image, new, service.settings.hash_algorithm)
    check_new_location(image, _urls(service.region, image), new)
    if ELSEWHERE in image.stores:
        raise Conflict("An image has at most one location elsewhere: remove that one first.")
    if new.url not in sizes:
        raise Conflict(f"Image {image.id} was changed meanwhile: try again.")
    size = sizes[new.url]
    if image.status == ACTIVE and size != image.size:
        raise BadRequest(f"The data there has {size} bytes, but the image has {image.size}.")
    check_quota(connection, region, image.owner, service.settings.limits, "image_size_total", size)
    if image.status == QUEUED:
        # First, because the location counts with the size of its image.
        values = {**hashes, "size": size}
        change_status(connection, region, image.id, before=QUEUED, after=ACTIVE, values=values)
    add_address(connection, region, image.id, ELSEWHERE, str(uuid.uuid4()), new.url, new.metadata)


def _remove(region: Region, connection: Connection, image: Image, position: str | None) -> list[Garbage]:
    names = region.by_weight(image.stores)
    name = names[position_of(image, position, len(names))]
    store = region.store_named(name)
    if name != ELSEWHERE and (store is None or store.read_only):
        raise Forbidden(f"The store {name} is read-only.")
    return discard_locations(connection, region.name, image.id, [name])


def _replace(
    request: ImageRequest,
    connection: Connection,
    image: Image,
    values: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
) -> None:
    """Set the locations of an image that has none, or what is kept with each of those that it has."""
    region = request.service.region
    known = _urls(region, image)
    check_locations_open(image)
    if not values:
        raise Forbidden("Locations cannot be emptied: delete the image instead.")
    if not known:
        for value in values:
            current = fetch_image(connection, region.name, image.id)
            assert current is not None
            _add(request, connection, current, value, sizes)
        return
    if sorted(value["url"] for value in values) != sorted(known):
        raise BadRequest("The image has other locations: add or remove single ones.")
    for value in values:
        if ELSEWHERE in image.addresses and value["url"] == image.addresses[ELSEWHERE][0]:
            set_details(connection, region.name, image.id, ELSEWHERE, value["metadata"])
