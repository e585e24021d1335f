"""From one cloud to another: an image's metadata and data, streamed, without a file in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecl.image.transfer._bandwidth import Bandwidth
from ecl.image.transfer._options import UploadOptions
from ecl.image.transfer._progress import ProgressCallback
from ecl.image.transfer._source import Source
from ecl.image.transfer.download import verified_blocks
from ecl.image.transfer.upload import upload
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http import SessionLike

__all__ = ["copy_data", "metadata_of"]

#: What describes an image as such, rather than its place in one cloud.
_METADATA = ("name", "disk_format", "container_format", "min_disk", "min_ram", "tags")
#: Properties that a Glance keeps for itself.
_RESERVED = "os_glance"


def metadata_of(image: Image) -> tuple[dict[str, Any], dict[str, str]]:
    """
    Return what a copy of *image* in another cloud is to be created with: attributes, tags among them, and properties.

    Properties may have any name, so they are never to be given as keyword arguments.
    """
    attributes = {name: image[name] for name in _METADATA if image._body.get(name) is not None}
    properties = {name: value for name, value in image.properties.items() if not name.startswith(_RESERVED)}
    return attributes, properties


def copy_data(
    source: SessionLike,
    image: Image,
    destination: SessionLike,
    target: Image,
    *,
    progress: ProgressCallback | None = None,
    bandwidth: Bandwidth | None = None,
) -> Image:
    """
    Stream the data of *image* into the queued image *target* of another service; return that, active.

    The data is verified against the source's hash before its last block leaves, and against the destination's when
    it has arrived. A connection that fails on either side is taken up again.

    Raises:
        DigestMismatch: The source's data is damaged, or it was on the way.
        ConflictException: *target* is not queued.
        HttpException: One of the services refused.
    """
    with Source(lambda: verified_blocks(source, image), image.size) as data:
        # The source's service has looked at the content already.
        return upload(destination, target, data, UploadOptions(progress=progress, force=True, bandwidth=bandwidth))
