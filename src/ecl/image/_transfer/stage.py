"""Sending the data of an image to the staging area, for an import to follow."""

from __future__ import annotations

from ecl import exceptions
from ecl.image._transfer.body import Body
from ecl.image._transfer.check import check_queued
from ecl.image._transfer.ports import RemoteImage
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.source import ImageData, Source

__all__ = ["stage"]


def stage(remote: RemoteImage, data: ImageData, progress: ProgressCallback | None = None) -> None:
    """
    Send *data* to the staging area; the image is ``uploading`` then.

    The service has no hash of staged data, so only the number of bytes is compared.

    Raises:
        ConflictException: The image is not queued.
        NotFoundException: There is no such image, or the cloud has no staging area.
        InvalidResponse: The number of bytes that arrived is not the number that was sent.
    """
    with Source(data) as source:
        remote.renew_token()
        # A Glance that refuses does not read the bytes, and the connection is lost.
        check_queued(remote.describe())
        body = Body(source, progress=progress)
        remote.send(body, "stage")
    image = remote.describe()
    if image.size is not None and image.size != body.done:
        raise exceptions.InvalidResponse(
            message=f"Image {image.id}: {body.done} bytes were sent, {image.size} arrived; delete it and begin anew"
        )
