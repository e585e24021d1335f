"""From one cloud to another: an image with its metadata, tags and, on request, members; no file in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.source import Source
from ecl.image.v2 import _data
from ecl.image.v2._creating import rollback_create
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike
    from ecl.image.v2._proxy import Proxy

__all__ = ["copy", "copy_data", "metadata_of"]

#: What describes an image as such, rather than its place in one cloud.
_METADATA = ("name", "disk_format", "container_format", "min_disk", "min_ram", "tags")
#: Properties that a Glance keeps for itself.
_RESERVED = "os_glance"


def copy(
    source: Proxy,
    image: Image | str,
    destination: Proxy,
    *,
    members: bool = False,
    progress: ProgressCallback | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    properties: Mapping[str, str | None] | None = None,
    **attrs: Any,
) -> Image:
    """
    Copy an image from one cloud to another; return the copy, active and verified.

    The data streams through: memory is that of an upload, and nothing is written to a disk here. It is verified
    against the source's hash before its last block leaves, and against the destination's when it has arrived. If
    anything fails, the image at the destination is deleted again.

    Operations: GET /v2/images/{image_id} and its file at the source; POST /v2/images, PUT of the file, and POST
    /v2/images/{image_id}/members at the destination.

    Args:
        members: Share the copy with the same projects, too; each has to accept it again.
        progress: Called with bytes done and bytes in all at most ten times a second.
        max_bandwidth: Bytes a second, at most.
        properties: Properties of the copy that differ from the source's, whatever they are called; None leaves one
            out.
        attrs: Attributes and properties of the copy that differ from the source's; None leaves one out.

    Raises:
        ResourceNotFound: There is no such image at the source.
        InvalidRequest: The image has no data, or *properties* has an attribute of the API, such as ``name``.
        DigestMismatch: The data is damaged at the source, or was on the way.
        HttpException: One of the clouds refused.
    """
    original = source.get_image(image)
    if original.image_status != "active":
        raise exceptions.InvalidRequest(f"Image {original.id} is {original.image_status}; only an active one is copied")
    shared = [member.member_id for member in source.members(original)] if members else []
    attributes, own = metadata_of(original)
    wanted = {"visibility": "private" if original.visibility == "private" else None, **attributes, **attrs}
    # What is given by keyword takes the place of the source's, by either name: os_type and .os.type.
    replaced = {*attrs, *Image.new(**attrs)}
    kept = {name: value for name, value in own.items() if name not in replaced} | dict(properties or {})
    target = destination.create_image(
        properties={name: value for name, value in kept.items() if value is not None},
        **{name: value for name, value in wanted.items() if value is not None},
    )
    try:
        copied = copy_data(
            source.session,
            original,
            destination.session,
            target,
            progress=progress,
            bandwidth=limit_of(max_bandwidth),
        )
        for member in shared:
            destination.create_member(copied, member=member)
        return copied
    except BaseException as exc:
        rollback_create(destination.session, target, exc)
        raise


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
    with Source(lambda: _data.verified_blocks(source, image), image.size) as data:
        # The source's service has checked the content already.
        options = UploadOptions(progress=progress, force=True, bandwidth=bandwidth, allow_empty=True)
        return _data.upload(destination, target, data, options)
