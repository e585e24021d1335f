"""From one cloud to another: an image with its metadata, tags and, on request, members; no file in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.image.transfer._bandwidth import Bandwidth, limit_of
from ecl.image.transfer._copy import copy_data, metadata_of
from ecl.image.transfer._create import take_back
from ecl.image.transfer._progress import ProgressCallback
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl.image.v2._proxy import Proxy

__all__ = ["copy"]


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
        members: Share the copy with the same projects, too; each has to accept it anew.
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
        made = copy_data(
            source.session,
            original,
            destination.session,
            target,
            progress=progress,
            bandwidth=limit_of(max_bandwidth),
        )
        for member in shared:
            destination.create_member(made, member=member)
        return made
    except BaseException as exc:
        take_back(destination.session, target, exc)
        raise
