"""Sending the data of an image: one pass over the source, hashed while it is sent, verified at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecl import _http, exceptions
from ecl.image.transfer import _verify
from ecl.image.transfer._check import check_content
from ecl.image.transfer._digest import Digest
from ecl.image.transfer._expand import expanded
from ecl.image.transfer._options import UploadOptions
from ecl.image.transfer._progress import Progress
from ecl.image.transfer._source import ImageData, Source
from ecl.image.v2.image import Image
from ecl.session import renew_token_before_long_call

if TYPE_CHECKING:
    from ecl._http import SessionLike

__all__ = ["expanded_if", "send", "upload"]

#: Seconds that a service gets to notice that a connection is gone, and to put the image back to "queued".
SETTLE = 30.0


def upload(
    session: SessionLike,
    image: Image | str,
    data: ImageData | Source,
    options: UploadOptions | None = None,
) -> Image:
    """
    Send *data* into a queued image; return the image, active and with the hashes that were verified.

    Operation: PUT /v2/images/{image_id}/file.

    A source that can be read again (a path, bytes, a seekable file) is sent again when the connection fails or the
    service answers 502, 503 or 504, as long as the image is still queued. Memory: six blocks of 1 MiB.

    Raises:
        InvalidRequest: The source cannot be read, is dangerous, or is not what the image's disk_format says.
        ConflictException: The image is not queued.
        FileFailure: Reading the source failed on the way.
        DigestMismatch: What arrived is not what was sent; the image is active with the wrong bytes.
        HttpException: The service refused.
    """
    options = options or UploadOptions()
    if isinstance(data, Source):
        return _upload(session, image, data, options)
    with Source(data) as source:
        return _upload(session, image, expanded_if(options, source), options)


def expanded_if(options: UploadOptions, source: Source) -> Source:
    """Return *source*, or a source of what it decodes to if *options* ask for that."""
    return expanded(source, options.max_expanded) if options.decompress else source


def _upload(session: SessionLike, image: Image | str, source: Source, options: UploadOptions) -> Image:
    image_id = _http.text(Image._get_id(image), "image ID")
    renew_token_before_long_call(session)
    target = Image.existing(id=image_id).get(session)
    _check_queued(target)
    if not options.force:
        check_content(source, target.disk_format, target.container_format, target.min_disk)
    return send(session, target, source, options)


def send(session: SessionLike, image: Image, source: Source, options: UploadOptions) -> Image:
    """
    Send *source*, which has been looked at, into *image* as the service has just shown it; see :func:`upload`.

    Returns:
        The same image as it is now: active, with the hashes that were verified.
    """
    _verify.remember(session, image)
    attempts = _http.ATTEMPTS if source.rewindable else 1
    for attempt in range(1, attempts + 1):
        body = _Body(session, source, options)
        try:
            _put(session, image, body)
        except (exceptions.ConnectFailure, exceptions.ServerException, exceptions.ConflictException) as exc:
            if exc is body.error:
                raise
            last = attempt == attempts
            if not _worth_another_try(exc, attempt) or (last and not body.whole):
                raise
            # Perhaps only the answer was lost.
            if _settled(session, image).image_status == "active":
                break
            if last:
                raise
            _check_queued(image)
            _http.pause(attempt, _retry_after(exc))
        else:
            break
        finally:
            body.close()
    sent = _settled(session, image)
    if sent.image_status != "active":
        raise exceptions.InvalidResponse(
            message=f"Image {image.id} is {sent.image_status}, not active, after its data was taken; upload it again"
        )
    _verify.remember(session, sent)
    _verify.verify(sent, body.done, body.digests(), source.blocks if source.rewindable else None)
    return sent


class _Body:
    """The body of one attempt: an iterable that hashes what it yields. Iterated again, it begins anew."""

    def __init__(self, session: SessionLike, source: Source, options: UploadOptions) -> None:
        self._algorithms = _verify.expected_algorithms(session, source.rewindable)
        self._source = source
        self._progress = Progress(options.progress, source.size)
        self._bandwidth = options.bandwidth
        self._digest: Digest | None = None
        self.done = 0
        #: True when every byte was taken.
        self.whole = False
        #: What the source or the progress callback raised: no fault of the connection, so nothing is sent again.
        self.error: Exception | None = None
        if source.size is not None:
            # requests takes Content-Length from here; without it the body is sent in chunks.
            self.len = source.size

    def __iter__(self) -> Iterator[bytes]:
        self.close()
        self._digest = Digest(*self._algorithms)
        self.done = 0
        self.whole = False
        try:
            for block in self._source.blocks():
                self._digest.update(block)
                if self._bandwidth is not None:
                    self._bandwidth.take(len(block))
                yield block
                self.done += len(block)
                self._progress.at(self.done)
            self.whole = True
            self._progress.end(self.done)
        except Exception as exc:
            self.error = exc
            raise

    def close(self) -> None:
        """End the hashing threads."""
        if self._digest is not None:
            self._digest.close()

    def digests(self) -> dict[str, str]:
        """Return the hashes of what was sent; none if nothing was."""
        return self._digest.hexdigests() if self._digest is not None else {}


def _put(session: SessionLike, image: Image, body: _Body) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    size = getattr(body, "len", None)
    if size is not None:
        # What was declared counts: a service that gets fewer bytes refuses the upload.
        headers["X-OpenStack-Image-Size"] = str(size)
    response = _http.request(
        session,
        "PUT",
        f"{image._path()}/file",
        service=Image.service,
        headers=headers,
        # requests would send an iterable of no bytes in chunks, which some gateways refuse.
        data=b"" if size == 0 else body,
        # A new log-in sends the body again, which works only from its start.
        allow_reauth=body._source.rewindable,
        timeout=_http.DATA_TIMEOUT,
    )
    response.close()


def _check_queued(image: Image) -> None:
    if image.image_status != "queued":
        raise exceptions.ConflictException(
            f"Image {image.id} is {image.image_status}; data can be uploaded only while it is queued", http_status=409
        )


def _worth_another_try(exc: exceptions.SDKException, attempt: int) -> bool:
    if isinstance(exc, exceptions.ConflictException):
        # A service that is slow to begin meets the attempt before, which broke, only after this one was sent.
        return attempt > 1
    return isinstance(exc, exceptions.ConnectFailure) or exc.http_status in _http.RETRIED_STATUSES


def _retry_after(exc: exceptions.SDKException) -> str | None:
    response = getattr(exc, "response", None)
    return response.headers.get("Retry-After") if response is not None else None


def _settled(session: SessionLike, image: Image) -> Image:
    """Read *image* until the service has noticed that nobody is sending any more."""
    deadline = time.monotonic() + SETTLE
    while image.get(session).image_status == "saving" and time.monotonic() < deadline:
        time.sleep(0.5)
    return image
