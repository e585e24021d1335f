"""Creating an image together with its data: both, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions
from ecl._http import retry
from ecl._http.sessions import renew_token_before_long_call
from ecl._http.stop import unstoppable
from ecl.image._transfer.check import check_source
from ecl.image._transfer.expand import expanded_if
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.signature import PROPERTIES
from ecl.image._transfer.source import ImageData, Source
from ecl.image._transfer.upload import send
from ecl.image.v2._data import BoundImage
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["create_with_data", "rollback_create", "signed"]

#: Seconds to connect, and of silence, that a service gets after Ctrl-C to delete an image.
_INTERRUPT_TIMEOUT_SECONDS = (3.0, 3.0)


def create_with_data(
    session: SessionLike,
    data: ImageData,
    attrs: Mapping[str, Any],
    options: UploadOptions,
    on_created: Callable[[Image], object] | None = None,
) -> Image:
    """
    Create an image and upload *data* into it; see :meth:`ecl.image.v2._proxy.Proxy.create_image`.

    Whatever ends the upload, Ctrl-C included, the image is deleted again, unless the service may still be storing the
    data. If it could not be deleted, a note on the error says so.

    Args:
        on_created: Called with the image before its data is sent. The caller can then delete it if this thread hangs.
    """
    with Source(data) as opened:
        source = expanded_if(options, opened)
        wanted = {"container_format": "bare", **attrs}
        if not wanted.get("disk_format"):
            wanted["disk_format"] = source.inspect().disk_format
        # Before there is an image that would have to be deleted.
        check_source(source, options, attrs.get("disk_format"), wanted["container_format"], wanted.get("min_disk"))
        wanted |= signed(source, options, attrs)
        renew_token_before_long_call(session)
        image = Image.new(**wanted).create(session)
        try:
            if on_created is not None:
                on_created(image)
            remote = BoundImage(session, image)
            send(remote, source, options)
            return remote.known
        except BaseException as exc:
            rollback_create(session, image, exc)
            raise


def signed(source: Source, options: UploadOptions, attrs: Mapping[str, Any]) -> dict[str, str]:
    """
    Return the properties with the signature of *source*; none unless *options* have a key.

    A service that verifies signatures does it during the upload, so the data is read once more, before it is sent.

    Raises:
        InvalidRequest: The data can be read only once, or *attrs* have a signature already.
        FileFailure: Reading failed.
    """
    if options.signer is None:
        return {}
    properties = attrs.get("properties")
    given = {*attrs, *(properties if isinstance(properties, Mapping) else ())} & {*PROPERTIES}
    if given:
        raise exceptions.InvalidRequest(f"{', '.join(sorted(given))} cannot be given beside sign_key, which sets it")
    if not source.rewindable:
        raise exceptions.InvalidRequest(
            f"{source.name} can be read only once, and signing reads it before it is sent: sign a file"
        )
    found, digest = options.signer.sign_blocks(source.blocks())
    # What is sent must be what was signed.
    hashes = {**options.hashes, options.signer.algorithm: digest}
    source.expect(options.size, hashes, options.allow_empty)
    return found


def rollback_create(session: SessionLike, image: Image, reason: BaseException) -> None:
    """
    Delete an image that did not get its data; if that fails, say so in a note on *reason*.

    If the service may be storing the data (:attr:`~ecl.exceptions.SDKException.may_be_stored`), the image is left.
    After Ctrl-C the service gets one short attempt, and another Ctrl-C ends it.
    """
    if isinstance(reason, exceptions.SDKException) and reason.may_be_stored:
        reason.add_note(f"Image {image.id} was not deleted.")
        return
    if isinstance(reason, KeyboardInterrupt):
        attempts, timeout = 1, _INTERRUPT_TIMEOUT_SECONDS
    else:
        attempts, timeout = retry.ATTEMPTS, _http.TIMEOUT
    try:
        with unstoppable():
            _http.request(session, "DELETE", image._path(), service=Image.service, attempts=attempts, timeout=timeout)
    except exceptions.NotFoundException:
        pass
    except (exceptions.SDKException, KeyboardInterrupt) as exc:
        why = str(exc) or "interrupted"
        reason.add_note(f"Image {image.id} could not be deleted again ({why}); delete it by hand.")
