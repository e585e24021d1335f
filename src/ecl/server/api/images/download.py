"""``GET /v2/images/{id}/file``: the bytes of an image, or a range of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ecl.server import threads
from ecl.server.api.common.ranges import parse_content_range, parse_range
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.images.lookup import visible_image
from ecl.server.data.image_cache import ImageCache
from ecl.server.data.reading import open_image, reading_order
from ecl.server.data.store.base import Reader
from ecl.server.db.copies import damaged_stores
from ecl.server.domain.access import check_can_download
from ecl.server.domain.image import Image
from ecl.server.domain.location import ELSEWHERE
from ecl.server.domain.status import WITH_DATA
from ecl.server.errors import BadRequest, Gone
from ecl.server.http.body_protocol import wait_until_writable
from ecl.server.http.routing import empty
from ecl.server.http.send_file import FileSender, file_sender

__all__ = ["OCTETS", "download"]

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
        region = request.service.region
        image, order = await threads.query(_find, request, request.image_id, preferred)
        if image.status not in WITH_DATA:
            open_data.close()
            return empty()
        read: threads.Read = threads.touch
        reader = None if preferred or region.cache is None else await read(_cached, region.cache, image)
        if reader is None:
            read = threads.fetch if ELSEWHERE in order else threads.touch
            reader = await read(open_image, region, image, order)
        open_data.callback(reader.close)
        return _data_response(request, image, reader, open_data, read)
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


def _find(request: ImageRequest, image_id: str, preferred: Sequence[str]) -> tuple[Image, list[str]]:
    """Return the image, and the names of the stores that have its data, in the order in which to try them."""
    region = request.service.region
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, request.caller, image_id)
        check_can_download(request.caller, image)
        damaged = damaged_stores(connection, region.name, image_id)
    if image.status in WITH_DATA and image.stores.keys() <= damaged:
        raise Gone(f"The data of image {image_id} is damaged. The operator of the service can restore it.")
    return image, [name for name in reading_order(region, image, preferred) if name not in damaged]


def _cached(cache: ImageCache, image: Image) -> Reader | None:
    return None if image.size is None else cache.reader(image.id, image.size)


def _data_response(
    request: ImageRequest, image: Image, reader: Reader, open_data: ExitStack, read: threads.Read
) -> Response:
    size = reader.size
    first, last, status = 0, size - 1, 200
    wanted, old_form = request.headers.get("range"), request.headers.get("content-range")
    if wanted is not None:
        first, last = parse_range(wanted, size)
        status = 206
    elif old_form is not None:
        first, last = parse_content_range(old_form, size)
        status = 206
    reader.expect(last + 1)
    headers = {"Content-Type": OCTETS, "Content-Length": str(last - first + 1)}
    if image.checksum is not None:
        headers["Content-MD5"] = image.checksum
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    sender = file_sender(request.scope)
    if sender is not None and reader.descriptor is not None:
        return _FileResponse(sender, (reader.descriptor, first, last + 1 - first), status, headers, open_data)
    return _DataResponse(_blocks(request, reader, first, last, read), status, headers, open_data)


class _FileResponse(Response):
    """
    A range of an open image, which the kernel copies to the client.

    Args:
        part: What `FileSender.send` takes.
        open_data: Closed when the kernel has everything, or the client is gone.
    """

    def __init__(
        self,
        sender: FileSender,
        part: tuple[int, int, int],
        status: int,
        headers: dict[str, str],
        open_data: ExitStack,
    ) -> None:
        self._sender = sender
        self._part = part
        self._open_data = open_data
        super().__init__(None, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        with self._open_data:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                await self._sender.send(*self._part)
            except ConnectionError as exc:
                raise ClientDisconnect from exc
            await send({"type": "http.response.body", "body": b""})


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


async def _blocks(
    request: ImageRequest, reader: Reader, first: int, last: int, read: threads.Read
) -> AsyncIterator[bytes]:
    offset = first
    while offset <= last:
        # Wait without a block.
        await wait_until_writable(request.scope)
        size = min(max((offset - first) // _GROWTH, _FIRST_READ), _LAST_READ, last + 1 - offset)
        block = await read(reader.read, offset, size)
        if not block:
            raise OSError("the data of an image ended early")
        yield block
        offset += len(block)
