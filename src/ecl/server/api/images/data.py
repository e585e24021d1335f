"""``/v2/images/{id}/file`` and ``/stage``: upload and download."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ecl.server.api.common.ranges import parse_content_range, parse_range
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import empty, resource
from ecl.server.api.images.lookup import changeable_image, visible_image
from ecl.server.data.store.base import Reader, Store, StoreError
from ecl.server.data.upload import Upload, begin_upload, receive_upload
from ecl.server.domain.access import check_can_download
from ecl.server.domain.image import Image
from ecl.server.domain.status import WITH_DATA
from ecl.server.errors import BadRequest, NotFound, Unavailable, UnsupportedMedia

__all__ = ["ROUTES", "upload_store"]

_log = logging.getLogger(__name__)

#: Bytes read at a time: the memory that one download takes.
_READ_SIZE = 1 << 20
_OCTETS = "application/octet-stream"
_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)


# --- upload ---------------------------------------------------------------------------------------------------


async def _upload(request: ImageRequest) -> Response:
    await _receive(request, upload_store(request))
    return empty()


async def _stage(request: ImageRequest) -> Response:
    if "glance-direct" not in request.service.settings.imports.methods:
        raise NotFound("This service has no import by glance-direct, so it stages nothing.")
    await _receive(request, request.service.region.staging)
    return empty()


async def _receive(request: ImageRequest, store: Store) -> None:
    if _media_type(request) != _OCTETS:
        raise UnsupportedMedia(f"Image data must be sent with Content-Type: {_OCTETS}.")
    declared = _declared_size(request)
    upload = await run_in_threadpool(_begin, request, request.image_id, store, declared)
    await receive_upload(upload, request.body_reader())


def _begin(request: ImageRequest, image_id: str, store: Store, declared: int | None) -> Upload:
    service = request.service
    region, database = service.region, service.database
    with database.write() as connection:
        image = changeable_image(connection, region.name, request.caller, image_id)
        return begin_upload(connection, region, database, service.settings, image, store, declared)


def upload_store(request: ImageRequest) -> Store:
    """Return the store that the client chose, or the default one. Raises BadRequest."""
    region = request.service.region
    name = request.headers.get("x-image-meta-store")
    store = region.store if name is None else region.store_named(name)
    if store is None:
        raise BadRequest(f"Region {region.name} has no store '{(name or '')[:64]}'.")
    return store


def _media_type(request: ImageRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


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
    image, reader = await run_in_threadpool(_open, request, request.image_id, _preferred(request))
    if reader is None:
        return empty()
    try:
        return _data_response(request, image, reader)
    except BaseException:
        reader.close()
        raise


def _preferred(request: ImageRequest) -> list[str]:
    """Return the stores that ``?prefer=`` wants tried first. Raises BadRequest."""
    wanted = [value for name, value in request.query() if name == "prefer"]
    names = [name.strip() for name in ",".join(wanted).split(",") if name.strip()]
    for name in names:
        if request.service.region.store_named(name) is None:
            raise BadRequest(f"There is no store '{name[:64]}' to prefer.")
    return names


def _open(request: ImageRequest, image_id: str, preferred: Sequence[str]) -> tuple[Image, Reader | None]:
    """Return the image and its open bytes, None if it has none yet. Once open, a delete cannot cut them short."""
    region = request.service.region
    with request.service.database.read() as connection:
        image = visible_image(connection, region.name, request.caller, image_id)
        check_can_download(request.caller, image)
    if image.status not in WITH_DATA:
        return image, None
    # The default store first among those that nobody prefers.
    order = [*preferred, region.store.name, *image.stores]
    for name in sorted(image.stores, key=order.index):
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


ROUTES = (
    resource("/v2/images/{image_id}/file", GET=_download, PUT=_upload),
    resource("/v2/images/{image_id}/stage", PUT=_stage),
)
