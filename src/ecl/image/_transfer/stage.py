"""Sending the data of an image to the staging area, for an import to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl import _http, exceptions
from ecl._http.sessions import renew_token_before_long_call
from ecl.image._transfer.progress import Progress, ProgressCallback
from ecl.image._transfer.source import ImageData, Source
from ecl.image._transfer.upload import _check_queued
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecl._http.sessions import SessionLike

__all__ = ["stage"]


def stage(session: SessionLike, image_id: str, data: ImageData, progress: ProgressCallback | None = None) -> Image:
    """
    Send *data* to the staging area; return the image, which is ``uploading`` then.

    Operation: PUT /v2/images/{image_id}/stage.

    The service has no hash of what waits there, so only the number of bytes is compared.

    Raises:
        ConflictException: The image is not queued.
        NotFoundException: There is no such image, or the cloud has no staging area.
        InvalidResponse: Other bytes arrived than were sent, by their number.
    """
    with Source(data) as source:
        renew_token_before_long_call(session)
        # A Glance that refuses does not read the bytes, and the connection is lost.
        _check_queued(Image.existing(id=image_id).get(session))
        body = _Body(source, progress)
        headers = {"Content-Type": "application/octet-stream"}
        if source.size is not None:
            headers["X-OpenStack-Image-Size"] = str(source.size)
        response = _http.request(
            session,
            "PUT",
            f"{Image.base_path}/{_http.segment(image_id, 'image ID')}/stage",
            service=Image.service,
            headers=headers,
            data=b"" if source.size == 0 else body,
            # A new log-in sends the body again, which works only from its start.
            allow_reauth=source.rewindable,
            timeout=_http.DATA_TIMEOUT,
        )
        response.close()
    image = Image.existing(id=image_id).get(session)
    if image.size is not None and image.size != body.done:
        raise exceptions.InvalidResponse(
            message=f"Image {image_id}: {body.done} bytes were sent, {image.size} arrived; delete it and begin anew"
        )
    return image


class _Body:
    """The body: an iterable that counts what it yields. Iterated again, it begins anew."""

    def __init__(self, source: Source, progress: ProgressCallback | None) -> None:
        self._source = source
        self._progress = Progress(progress, source.size)
        self.done = 0
        if source.size is not None:
            # requests takes Content-Length from here; without it the body is sent in chunks.
            self.len = source.size

    def __iter__(self) -> Iterator[bytes]:
        self.done = 0
        for block in self._source.blocks():
            yield block
            self.done += len(block)
            self._progress.at(self.done)
        self._progress.end(self.done)
