"""Sending the data of an image to the staging area, for an import to follow."""

from __future__ import annotations

import itertools

from ecl import exceptions
from ecl._http import retry
from ecl.image._transfer import verify
from ecl.image._transfer.body import Body
from ecl.image._transfer.check import check_queued, check_source
from ecl.image._transfer.expand import expanded_if
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.ports import RemoteImage
from ecl.image._transfer.source import ImageData, Source

__all__ = ["stage"]


def stage(remote: RemoteImage, data: ImageData | Source, options: UploadOptions) -> Body:
    """
    Send *data* to the staging area; the image is ``uploading`` then.

    The service has no hash of staged data, so only the number of bytes is compared. What can be read again is sent
    again when the connection fails or the service is busy, as long as the image is still queued.

    Returns:
        What was sent; it has the hashes that the service is expected to use after the import.

    Raises:
        InvalidRequest: The data is empty, or not what the image says; see :func:`check_source`.
        ConflictException: The image is not queued.
        NotFoundException: There is no such image, or the cloud has no staging area.
        InvalidResponse: The number of bytes that arrived is not the number that was sent.
    """
    if isinstance(data, Source):
        return _stage(remote, data, options)
    with Source(data) as source:
        return _stage(remote, expanded_if(options, source), options)


def _stage(remote: RemoteImage, source: Source, options: UploadOptions) -> Body:
    remote.renew_token()
    # A Glance that refuses does not read the bytes, and the connection is lost.
    image = remote.describe()
    check_queued(image)
    check_source(source, options, image.disk_format, image.container_format, image.min_disk)
    body = _send(remote, source, options)
    image = remote.describe()
    if image.size is not None and image.size != body.done:
        raise exceptions.InvalidResponse(
            message=f"Image {image.id}: {body.done} bytes were sent, {image.size} arrived; delete it and start again"
        )
    return body


def _send(remote: RemoteImage, source: Source, options: UploadOptions) -> Body:
    verify.remember(remote.cloud, remote.known)
    attempts = retry.ATTEMPTS if source.rewindable else 1
    for attempt in itertools.count(1):
        body = Body(
            source,
            algorithms=verify.expected_algorithms(remote.cloud, source.rewindable),
            progress=options.progress,
            bandwidth=options.bandwidth,
        )
        try:
            remote.send(body, "stage")
            return body
        except (exceptions.ConnectFailure, exceptions.HttpException) as exc:
            if exc is body.error or attempt == attempts or not retry.is_passing(exc):
                raise
            if remote.describe().status != "queued":
                raise
            retry.pause(attempt, retry.retry_after_of(exc))
        finally:
            body.close()
    raise AssertionError("not reached")
