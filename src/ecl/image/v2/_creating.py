"""Creating an image together with its data: both, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions
from ecl._http import retry
from ecl._http.sessions import renew_token_before_long_call
from ecl.image._transfer.check import check_content
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.source import ImageData, Source
from ecl.image._transfer.upload import expanded_if, send
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["create_with_data", "take_back"]

#: Seconds to connect, and of silence, that a service gets after Ctrl-C to delete an image.
_IN_A_HURRY = (3.0, 3.0)


def create_with_data(
    session: SessionLike,
    data: ImageData,
    attrs: Mapping[str, Any],
    options: UploadOptions,
    made: Callable[[Image], object] | None = None,
) -> Image:
    """
    Create an image and upload *data* into it; see :meth:`ecl.image.v2._proxy.Proxy.create_image`.

    Whatever ends the upload, Ctrl-C included, the image is deleted again. Where even that fails, the error that is
    raised says so.

    Args:
        made: Called with the image as soon as there is one, for whoever has to delete it where this thread is stuck.
    """
    with Source(data) as opened:
        source = expanded_if(options, opened)
        wanted = {"container_format": "bare", **attrs}
        if not wanted.get("disk_format"):
            wanted["disk_format"] = source.inspect().disk_format
        if not options.force:
            # Before there is anything to take back.
            check_content(source, wanted["disk_format"], wanted["container_format"], wanted.get("min_disk"))
        renew_token_before_long_call(session)
        image = Image.new(**wanted).create(session)
        try:
            if made is not None:
                made(image)
            return send(session, image, source, options)
        except BaseException as exc:
            take_back(session, image, exc)
            raise


def take_back(session: SessionLike, image: Image, reason: BaseException) -> None:
    """
    Delete an image that was to have data and has none; where that fails, say so in a note on *reason*.

    After Ctrl-C nobody waits long for that, and another Ctrl-C ends it.
    """
    in_a_hurry = isinstance(reason, KeyboardInterrupt)
    attempts, timeout = (1, _IN_A_HURRY) if in_a_hurry else (retry.ATTEMPTS, _http.TIMEOUT)
    try:
        _http.request(session, "DELETE", image._path(), service=Image.service, attempts=attempts, timeout=timeout)
    except exceptions.NotFoundException:
        pass
    except (exceptions.SDKException, KeyboardInterrupt) as exc:
        why = str(exc) or "interrupted"
        reason.add_note(f"Image {image.id} could not be deleted again ({why}); delete it by hand.")
