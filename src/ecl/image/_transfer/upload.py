"""Sending the data of an image: one pass over the source, hashed while it is sent, verified at the end."""

from __future__ import annotations

from ecl import exceptions
from ecl._http import retry
from ecl._http.polling import polls
from ecl.image._transfer import verify
from ecl.image._transfer.body import Body
from ecl.image._transfer.check import check_content, check_queued
from ecl.image._transfer.expand import expanded_if
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.ports import Described, RemoteImage
from ecl.image._transfer.source import ImageData, Source

__all__ = ["send", "upload"]

#: Seconds that a service gets to notice that a connection is gone, and to put the image back to "queued".
SETTLE = 30.0
#: Seconds between two looks at it.
_SETTLE_INTERVAL = 0.5


def upload(remote: RemoteImage, data: ImageData | Source, options: UploadOptions) -> None:
    """
    Send *data* into a queued image; :func:`ecl.image.transfer.upload` says what is retried and raised.

    Memory: six blocks of 1 MiB.
    """
    if isinstance(data, Source):
        _upload(remote, data, options)
        return
    with Source(data) as source:
        _upload(remote, expanded_if(options, source), options)


def _upload(remote: RemoteImage, source: Source, options: UploadOptions) -> None:
    remote.renew_token()
    image = remote.describe()
    check_queued(image)
    if not options.force:
        check_content(source, image.disk_format, image.container_format, image.min_disk)
    send(remote, source, options)


def send(remote: RemoteImage, source: Source, options: UploadOptions) -> None:
    """
    Send *source*, which has been checked, into an image that the service has just described; see :func:`upload`.

    Afterwards the image is active, and its hashes are verified.
    """
    verify.remember(remote.cloud, remote.known)
    attempts = retry.ATTEMPTS if source.rewindable else 1
    for attempt in range(1, attempts + 1):
        body = Body(
            source,
            algorithms=verify.expected_algorithms(remote.cloud, source.rewindable),
            progress=options.progress,
            bandwidth=options.bandwidth,
        )
        try:
            remote.send(body, "file")
        except (exceptions.ConnectFailure, exceptions.ServerException, exceptions.ConflictException) as exc:
            if exc is body.error:
                raise
            last = attempt == attempts
            if not _worth_another_try(exc, attempt) or (last and not body.is_complete):
                raise
            # Perhaps only the answer was lost.
            image = _settled(remote)
            if image.status == "active":
                break
            if last:
                raise
            check_queued(image)
            retry.pause(attempt, _retry_after(exc))
        else:
            break
        finally:
            body.close()
    sent = _settled(remote)
    if sent.status != "active":
        raise exceptions.InvalidResponse(
            message=f"Image {sent.id} is {sent.status}, not active, after its data was taken; upload it again"
        )
    verify.remember(remote.cloud, sent)
    verify.verify(sent, body.done, body.digests(), source.blocks if source.rewindable else None)


def _worth_another_try(exc: exceptions.SDKException, attempt: int) -> bool:
    if isinstance(exc, exceptions.ConflictException):
        # A service that is slow to begin meets the attempt before, which broke, only after this one was sent.
        return attempt > 1
    return isinstance(exc, exceptions.ConnectFailure) or exc.http_status in retry.RETRIED_STATUSES


def _retry_after(exc: exceptions.SDKException) -> str | None:
    response = getattr(exc, "response", None)
    return response.headers.get("Retry-After") if response is not None else None


def _settled(remote: RemoteImage) -> Described:
    """Read the image until the service has noticed that the connection is gone."""
    for _ in polls(_SETTLE_INTERVAL, SETTLE):
        image = remote.describe()
        if image.status != "saving":
            break
    return image
