"""Creating an image together with its data: both, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.image.transfer._progress import ProgressCallback
from ecl.image.transfer._source import ImageData, Source
from ecl.image.transfer.upload import check_content, upload
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http import SessionLike

__all__ = ["create_with_data"]


def create_with_data(
    session: SessionLike,
    data: ImageData,
    attrs: Mapping[str, Any],
    *,
    progress: ProgressCallback | None = None,
    force: bool = False,
) -> Image:
    """
    Create an image and upload *data* into it; see :meth:`ecl.image.v2._proxy.Proxy.create_image`.

    Whatever ends the upload, Ctrl-C included, the image is deleted again. Where even that fails, the error that is
    raised says so.
    """
    with Source(data) as source:
        wanted = {"container_format": "bare", **attrs}
        if not wanted.get("disk_format"):
            wanted["disk_format"] = source.inspect().disk_format
        if not force:
            # Before there is anything to take back.
            check_content(source, wanted["disk_format"], wanted["container_format"])
        image = Image.new(**wanted).create(session)
        try:
            return upload(session, image, source, progress=progress, force=force)
        except BaseException as exc:
            _take_back(session, image, exc)
            raise


def _take_back(session: SessionLike, image: Image, reason: BaseException) -> None:
    try:
        image.delete(session)
    except exceptions.NotFoundException:
        pass
    except exceptions.SDKException as exc:
        reason.add_note(f"Image {image.id} could not be deleted again ({exc}); delete it by hand.")
