"""The media types of an image update, and which dialect of JSON patch each of them names."""

from __future__ import annotations

from ecl.server.domain.json_patch import Version
from ecl.server.http.errors import UnsupportedPatch

__all__ = ["PATCH_TYPES", "patch_version"]

PATCH_TYPES: dict[str, Version] = {
    "application/openstack-images-v2.0-json-patch": "2.0",
    "application/openstack-images-v2.1-json-patch": "2.1",
}


def patch_version(content_type: str | None) -> Version:
    """
    Return which dialect *content_type* names; parameters such as charset are ignored.

    Raises:
        UnsupportedPatch: It names neither.
    """
    media_type = (content_type or "").partition(";")[0].strip()
    try:
        return PATCH_TYPES[media_type]
    except KeyError:
        accepted = ", ".join(PATCH_TYPES)
        raise UnsupportedPatch(
            f"The content type of an image update must be one of: {accepted}.", {"Accept-Patch": accepted}
        ) from None
