"""``/v2/images/{id}/file``: upload; the download is in `ecl.server.api.images.download`."""

from __future__ import annotations

import re

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.download import OCTETS, download
from ecl.server.api.images.lookup import changeable_image
from ecl.server.data.incoming import Incoming
from ecl.server.data.room import free_bytes
from ecl.server.data.store.base import Store
from ecl.server.data.upload import Upload, begin_upload, receive_upload
from ecl.server.db.engine import retried
from ecl.server.errors import BadRequest, UnsupportedMedia
from ecl.server.http.routing import empty

__all__ = ["ROUTES", "receive_body"]

_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)


async def _upload(request: ImageRequest) -> Response:
    await receive_body(request, _store(request))
    return empty()


async def receive_body(request: ImageRequest, store: Store) -> None:
    """Receive the body of *request* into *store*, as the data of the image that the path names."""
    if _media_type(request) != OCTETS:
        raise UnsupportedMedia(f"Image data must be sent with Content-Type: {OCTETS}.")
    declared = _declared_size(request)
    service = request.service
    with (
        service.slots.uploads.taken(),
        Incoming(service.node, service.database, service.region, store, request.image_id) as incoming,
    ):
        upload = await threads.change(_begin, request, incoming, declared)
        await receive_upload(upload, request.body_reader())


@retried
def _begin(request: ImageRequest, incoming: Incoming, declared: int | None) -> Upload:
    # Before the transaction, so that no other writer waits for a disk.
    free = free_bytes(incoming.store)
    with incoming.database.write() as connection:
        image = changeable_image(connection, incoming.region.name, request.caller, incoming.image_id)
        return begin_upload(connection, incoming, request.service.settings, image, declared, free)


def _store(request: ImageRequest) -> Store:
    """Return the store that the client chose, or the default store. Raises BadRequest."""
    region = request.service.region
    name = request.headers.get("x-image-meta-store")
    store = region.store if name is None else region.store_named(name)
    if store is None:
        raise BadRequest(f"Region {region.name} has no store '{(name or '')[:64]}'.")
    return store


def _media_type(request: ImageRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def _declared_size(request: ImageRequest) -> int | None:
    """Return how many bytes the client declares, None if it does not; the image API's own header has priority."""
    for name in ("x-openstack-image-size", "content-length"):
        value = request.headers.get(name)
        if value is not None:
            if not _SIZE.fullmatch(value.strip()):
                raise BadRequest(f"The header {name} must be a whole number of bytes.")
            return int(value)
    return None


ROUTES = (resource("/v2/images/{image_id}/file", GET=download, PUT=_upload),)
