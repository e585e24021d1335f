"""``/v2/images/{id}/file``: upload and download."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ecl.server.api.lookup import changeable_image, visible_image
from ecl.server.api.request import ImageRequest
from ecl.server.api.routing import empty, resource
from ecl.server.db.locations import locations_of
from ecl.server.domain.access import check_can_download
from ecl.server.domain.image import Image
from ecl.server.domain.ranges import parse_content_range, parse_range
from ecl.server.domain.status import WITH_DATA
from ecl.server.errors import BadRequest, Unavailable, UnsupportedMedia
from ecl.server.ingest import Upload, begin_upload, receive_upload
from ecl.server.store.base import Reader, StoreError

__all__ = ["ROUTES"]

_log = logging.getLogger(__name__)

#: Bytes read at a time: the memory that one download takes.
_READ_SIZE = 1 << 20
_OCTETS = "application/octet-stream"
_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)


# --- upload ---------------------------------------------------------------------------------------------------


async def _upload(request: ImageRequest) -> Response:
    if _media_type(request) != _OCTETS:
        raise UnsupportedMedia(f"Image data must be sent with Content-Type: {_OCTETS}.")
    declared = _declared_size(request)
    upload = await run_in_threadpool(_begin, request, request.image_id, declared)
    await receive_upload(upload, request.chunks())
    return empty()


def _begin(request: ImageRequest, image_id: str, declared: int | None) -> Upload:
    service = request.service
    region, database = service.region, service.database
    store = request.headers.get("x-image-meta-store")
    if store is not None and region.store_named(store) is None:
        raise BadRequest(f"Region {region.name} has no store '{store[:64]}'.")
    with database.write() as connection:
        image = changeable_image(connection, region.name, request.caller, image_id)
        return begin_upload(connection, region, database, service.settings, image, declared)


def _media_type(request: ImageRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _declared_size(request: ImageRequest) -> int | None:
    """Return how many bytes the client says it sends. The image API's own header wins."""
    for name in ("x-openstack-image-size", "content-length"):
        value = request.headers.get(name)
        if value is not None:
            if not _SIZE.fullmatch(value.strip()):
                raise BadRequest(f"The header {name} must be a whole number of bytes.")
            return int(value)
    return None


# --- download -------------------------------------------------------------------------------------------------


async def _download(request: ImageRequest) -> Response:
    await request.refuse_body()
    image, reader = await run_in_threadpool(_open, request, request.image_id)
    if reader is None:
        return empty()
    try:
        return _data_response(request, image, reader)
    except BaseException:
        reader.close()
        raise


def _open(request: ImageRequest, image_id: str) -> tuple[Image, Reader | None]:
    """Return the image and its open bytes, None if it has none yet. Once open, a delete cannot cut them short."""
    region = request.service.region
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, request.caller, image_id)
        check_can_download(request.caller, image)
        stores = locations_of(connection, region.name, image_id)
    if image.status not in WITH_DATA:
        return image, None
    for name in stores:
        store = region.store_named(name)
        if store is None:
            continue
        try:
            reader = store.reader(image_id)
        except StoreError as exc:
            _log.error("image %s of region %s cannot be read from %s: %s", image_id, region.name, name, exc)
            continue
        if reader.size == image.size:
            return image, reader
        reader.close()
        _log.error("image %s of region %s: %s has %d bytes of it", image_id, region.name, name, reader.size)
    raise Unavailable(f"The data of image {image_id} cannot be read at the moment.")


def _data_response(request: ImageRequest, image: Image, reader: Reader) -> Response:
    size = reader.size
    first, last, status = 0, size - 1, 200
    wanted, old_form = request.headers.get("range"), request.headers.get("content-range")
    if wanted is not None:
        first, last = parse_range(wanted, size)
        status = 206
    elif old_form is not None:
        first, last = parse_content_range(old_form, size)
        status = 206
    headers = {"Content-Type": _OCTETS, "Content-Length": str(last - first + 1)}
    if image.checksum is not None:
        headers["Content-MD5"] = image.checksum
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _DataResponse(reader, first, last, status, headers)


class _DataResponse(StreamingResponse):
    """A part of an open image; closed when the client has it, or has gone."""

    def __init__(self, reader: Reader, first: int, last: int, status: int, headers: dict[str, str]) -> None:
        self._reader = reader
        super().__init__(_blocks(reader, first, last), status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()


async def _blocks(reader: Reader, first: int, last: int) -> AsyncIterator[bytes]:
    offset = first
    while offset <= last:
        block = await run_in_threadpool(reader.read, offset, min(_READ_SIZE, last + 1 - offset))
        if not block:
            raise OSError("the data of an image ended early")
        yield block
        offset += len(block)


ROUTES = (resource("/v2/images/{image_id}/file", GET=_download, PUT=_upload),)
