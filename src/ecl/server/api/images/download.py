"""``GET /v2/images/{id}/file``: the bytes of an image, or a range of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ecl.server.api.common.ranges import parse_content_range, parse_range
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.images.lookup import visible_image
from ecl.server.data.store.base import Reader, StoreError
from ecl.server.db.copies import damaged_stores
from ecl.server.domain.access import check_can_download
from ecl.server.domain.image import Image
from ecl.server.domain.status import WITH_DATA
from ecl.server.errors import BadRequest, Gone, Unavailable
from ecl.server.http.body_protocol import wait_until_writable
from ecl.server.http.routing import empty

__all__ = ["OCTETS", "download"]

_log = logging.getLogger(__name__)

#: Bytes per read, which is the memory of one download: little at first, so that a client that asks and does not read
#: holds little, then more, up to the bound, as it reads on.
_FIRST_READ = 32 << 10
_LAST_READ = 1 << 20
#: A read has this part of the bytes before it.
_GROWTH = 64
OCTETS = "application/octet-stream"


async def download(request: ImageRequest) -> Response:
    """Answer with the data of the image, or with 204 if it has none yet."""
    await request.refuse_body()
    preferred = _preferred_stores(request)
    slots = request.service.slots.downloads
    slots.take()
    open_data = ExitStack()
    open_data.callback(slots.free)
    try:
        image, reader = await run_in_threadpool(_open, request, request.image_id, preferred)
        if reader is None:
            open_data.close()
            return empty()
        open_data.callback(reader.close)
        return _data_response(request, image, reader, open_data)
    except BaseException:
        open_data.close()
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
        damaged = damaged_stores(connection, region.name, image_id)
    if image.status not in WITH_DATA:
        return image, None
    if image.stores.keys() <= damaged:
        raise Gone(f"The data of image {image_id} is damaged. The operator of the service can restore it.")
    # Then the default store, then the others.
    order = [*preferred, region.store.name, *image.stores]
    for name in sorted(image.stores, key=order.index):
        store = region.store_named(name)
        if store is None or name in damaged:
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


def _data_response(request: ImageRequest, image: Image, reader: Reader, open_data: ExitStack) -> Response:
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
    return _DataResponse(_blocks(request, reader, first, last), status, headers, open_data)


class _DataResponse(StreamingResponse):
    """
    A range of an open image.

    Args:
        open_data: Closed when the client has everything, or is gone.
    """

    def __init__(
        self, blocks: AsyncIterator[bytes], status: int, headers: dict[str, str], open_data: ExitStack
    ) -> None:
        self._open_data = open_data
        super().__init__(blocks, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._open_data.close()


async def _blocks(request: ImageRequest, reader: Reader, first: int, last: int) -> AsyncIterator[bytes]:
    offset = first
    while offset <= last:
        # Wait without a block.
        await wait_until_writable(request.scope)
        size = min(max((offset - first) // _GROWTH, _FIRST_READ), _LAST_READ, last + 1 - offset)
        block = await run_in_threadpool(reader.read, offset, size)
        if not block:
            raise OSError("the data of an image ended early")
        yield block
        offset += len(block)
