"""``GET /v2/images/{id}/file``: the bytes of an image, or a range of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ecl.server.api.common.ranges import parse_content_range, parse_range
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.images.lookup import visible_image
from ecl.server.data.store.base import Reader, StoreError
from ecl.server.domain.access import check_can_download
from ecl.server.domain.image import Image
from ecl.server.domain.status import WITH_DATA
from ecl.server.errors import BadRequest, Unavailable
from ecl.server.http.routing import empty

__all__ = ["OCTETS", "download"]

_log = logging.getLogger(__name__)

#: Bytes per read: the memory of one download.
_READ_SIZE = 1 << 20
OCTETS = "application/octet-stream"


async def download(request: ImageRequest) -> Response:
    """Answer with the data of the image, or with 204 if it has none yet."""
    await request.refuse_body()
    image, reader = await run_in_threadpool(_open, request, request.image_id, _preferred_stores(request))
    if reader is None:
        return empty()
    try:
        return _data_response(request, image, reader)
    except BaseException:
        reader.close()
        raise


def _preferred_stores(request: ImageRequest) -> list[str]:
    """Return the names of the stores that ``?prefer=`` asks for first. Raises BadRequest."""
    wanted = [value for name, value in request.query() if name == "prefer"]
    names = [name.strip() for name in ",".join(wanted).split(",") if name.strip()]
    for name in names:
        if request.service.region.store_named(name) is None:
            raise BadRequest(f"There is no store '{name[:64]}' to prefer.")
    return names


def _open(request: ImageRequest, image_id: str, preferred: Sequence[str]) -> tuple[Image, Reader | None]:
    """Return the image and a reader of its data, None without data. An open reader outlives a delete."""
    region = request.service.region
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, request.caller, image_id)
        check_can_download(request.caller, image)
    if image.status not in WITH_DATA:
        return image, None
    # Then the default store, then the others.
    order = [*preferred, region.store.name, *image.stores]
    for name in sorted(image.stores, key=order.index):
        store = region.store_named(name)
        if store is None:
            continue
        try:
            reader = store.reader(image.stores[name])
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
    headers = {"Content-Type": OCTETS, "Content-Length": str(last - first + 1)}
    if image.checksum is not None:
        headers["Content-MD5"] = image.checksum
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return _DataResponse(reader, first, last, status, headers)


class _DataResponse(StreamingResponse):
    """A range of an open image; the reader is closed when the client has it or is gone."""

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
