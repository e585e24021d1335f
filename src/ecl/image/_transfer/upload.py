"""Sending the data of an image: one pass over the source, hashed while it is sent, verified at the end."""

from __future__ import annotations

import time

from ecl import exceptions
from ecl._http import is_silence, retry
from ecl._http.polling import polls
from ecl.image._transfer import verify
from ecl.image._transfer.body import Body
from ecl.image._transfer.check import check_queued, check_source
from ecl.image._transfer.expand import expanded_if
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.ports import Described, RemoteImage
from ecl.image._transfer.source import ImageData, Source

__all__ = ["send", "upload"]

#: Seconds that a service gets to notice that a connection is gone, and to put the image back to "queued".
SETTLE = 30.0
#: Seconds between two looks at it.
_SETTLE_INTERVAL = 0.5
#: The most seconds between two looks where the service may have to store the data first.
_OUTCOME_INTERVAL = 5.0
_GATEWAY_TIMEOUT = 504


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
    check_source(source, options, image.disk_format, image.container_format, image.min_disk)
    send(remote, source, options)


def send(remote: RemoteImage, source: Source, options: UploadOptions) -> None:
    """
    Send *source*, which has been checked, into an image that the service has just described; see :func:`upload`.

    Afterwards the image is active, and its hashes are verified.
    """
    verify.remember(remote.cloud, remote.known)
    attempts = retry.ATTEMPTS if source.rewindable else 1
    #: Why it is not known whether the service stores what it got.
    doubt: exceptions.SDKException | None = None
    for attempt in range(1, attempts + 1):
        body = Body(
            source,
            algorithms=verify.expected_algorithms(remote.cloud, source.rewindable),
            progress=options.progress,
            bandwidth=options.bandwidth,
        )
        try:
            remote.send(body, "file")
        except (exceptions.ConnectFailure, exceptions.HttpException) as exc:
            if exc is body.error or not _worth_another_try(exc, attempt):
                raise
            if body.is_complete and _is_without_answer(exc):
                doubt = doubt or exc
            last = attempt == attempts
            if last and not body.is_complete and doubt is None:
                raise
            # Perhaps only the answer was lost.
            outcome, is_over = _await_outcome(remote, doubt)
            if is_over:
                doubt = None
            if outcome.status == "active":
                break
            if outcome.status != "queued":
                raise _with_state(exc, outcome) from exc.__cause__
            if last:
                raise _in_doubt(doubt, outcome) if doubt else exc from exc.__cause__
            retry.pause(attempt, retry.retry_after_of(exc))
        else:
            break
        finally:
            body.close()
    sent = _accepted(remote)
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
    return retry.is_passing(exc)


def _is_without_answer(exc: exceptions.SDKException) -> bool:
    """Tell whether what ended the request was not the service's word: it may be at work on it still."""
    return isinstance(exc, exceptions.ConnectFailure) or exc.http_status == _GATEWAY_TIMEOUT


def _await_outcome(remote: RemoteImage, doubt: exceptions.SDKException | None) -> tuple[Described, bool]:
    """
    Read the image until its upload has ended, one way or the other: it is not ``saving`` any more.

    Returns:
        The image; and True if the service was seen to give up what it stored.

    Args:
        doubt: What was raised after all bytes had been sent, if the service may be storing them. It gets as long as
            its answer would have been waited for, also while the image is queued yet a gateway says 504: some
            gateways pass a request on only when they have all of it. A service that nobody can connect to gets
            SETTLE seconds to come back.

    Raises:
        SDKException: *doubt*, where time is up before the outcome is clear. The image is still in work.
    """
    if doubt is None or is_silence(doubt):
        image = _settled(remote, SETTLE)
        if doubt is not None and image.status == "saving":
            raise _in_doubt(doubt, image)
        return image, False
    began = False
    reached = time.monotonic()
    for _ in polls(_OUTCOME_INTERVAL, remote.patience, _SETTLE_INTERVAL):
        try:
            image = remote.describe()
        except exceptions.NotFoundException:
            raise
        except exceptions.SDKException as exc:
            image = remote.known
            is_away = isinstance(exc, exceptions.ConnectFailure) and time.monotonic() - reached > SETTLE
            if is_away or not _passes(exc):
                break
            continue
        reached = time.monotonic()
        began = began or image.status == "saving"
        if image.status == "queued" and (began or doubt.http_status != _GATEWAY_TIMEOUT):
            return image, began
        if image.status not in ("saving", "queued"):
            return image, True
    raise _in_doubt(doubt, image)


def _passes(exc: exceptions.SDKException) -> bool:
    """Tell whether a failed look at the image is worth another one."""
    return isinstance(exc, exceptions.ConnectFailure) or (exc.http_status or 0) >= 500 or exc.http_status == 429


def _in_doubt(doubt: exceptions.SDKException, image: Described) -> exceptions.SDKException:
    """Return *doubt*, saying that the data may be there all the same."""
    doubt.may_be_stored = True
    return _with_state(
        doubt, image, "after all its data was sent, and may still become active: look at it again before you delete it"
    )


def _with_state(exc: exceptions.SDKException, image: Described, more: str = "") -> exceptions.SDKException:
    """Return *exc*, saying what became of the image."""
    exc.message = f"{exc.message.rstrip('.')}. Image {image.id} is {image.status}{more and ' '}{more}"
    return exc


def _accepted(remote: RemoteImage) -> Described:
    """Read an image whose data the service has taken."""
    try:
        image = _settled(remote, remote.patience)
    except exceptions.NotFoundException:
        raise
    except exceptions.SDKException as exc:
        exc.may_be_stored = True
        raise
    if image.status == "saving":
        raise _in_doubt(exceptions.ResourceTimeout("The service took the data and has not finished storing it"), image)
    return image


def _settled(remote: RemoteImage, wait: float) -> Described:
    """Read the image until it is not ``saving`` any more, for at most *wait* seconds."""
    for _ in polls(_SETTLE_INTERVAL, wait):
        image = remote.describe()
        if image.status != "saving":
            break
    return image
