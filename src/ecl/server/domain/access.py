"""
Who may see an image and who may change it.

An image that the caller may not see does not exist for it (NotFound). What it may not do to an image that it sees is
Forbidden.
"""

from __future__ import annotations

from ecl.server.domain.caller import Caller
from ecl.server.domain.image import Image
from ecl.server.errors import Forbidden, NotFound

__all__ = [
    "check_can_change",
    "check_can_create",
    "check_can_download",
    "check_can_list",
    "check_can_see_locations",
    "check_owner_value",
    "check_visibility_value",
    "image_not_found",
    "is_owner",
    "needs_membership",
    "sees_without_membership",
]


def image_not_found(image_id: str) -> NotFound:
    """Return the error for an image that does not exist, or that the caller may not see."""
    return NotFound(f"No image found with ID {image_id[:64]}")


def is_owner(caller: Caller, image: Image) -> bool:
    """Return True if *image* belongs to the caller's project. An image without owner belongs to no project."""
    return image.owner is not None and image.owner == caller.project_id


def sees_without_membership(caller: Caller, image: Image) -> bool:
    """Return True if *caller* sees *image* without being a member of it."""
    return caller.is_admin or image.visibility in ("public", "community") or is_owner(caller, image)


def needs_membership(caller: Caller, image: Image) -> bool:
    """Return True if *caller* sees *image* only as a member of it, whatever the member's status."""
    return not sees_without_membership(caller, image) and image.visibility == "shared" and caller.project_id is not None


def check_can_list(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may list images."""
    if not caller.can_read:
        raise Forbidden("Listing images needs the role reader or member.")


def check_can_see_locations(caller: Caller) -> None:
    """Raise Forbidden unless *caller* may see where image data is stored."""
    if not caller.roles & {"admin", "service"}:
        raise Forbidden("Only the roles admin and service may see where image data is stored.")


def check_can_create(caller: Caller, owner: str | None) -> None:
    """Raise Forbidden unless *caller* may create an image that belongs to *owner*."""
    if caller.is_admin:
        return
    if not caller.can_write or caller.project_id is None:
        raise Forbidden("Creating an image needs the role member in a project.")
    check_owner_value(caller, owner, own_allowed=True)


def check_owner_value(caller: Caller, owner: str | None, *, own_allowed: bool = False) -> None:
    """Raise Forbidden unless *caller* may make *owner* the owner of an image."""
    if caller.is_admin or (own_allowed and owner is not None and owner == caller.project_id):
        return
    raise Forbidden("Only an administrator may set the owner of an image.")


def check_visibility_value(caller: Caller, visibility: str) -> None:
    """Raise Forbidden unless *caller* may set *visibility*."""
    if visibility == "public" and not caller.is_admin:
        raise Forbidden("Only an administrator may make an image public.")


def check_can_change(caller: Caller, image: Image) -> None:
    """Raise Forbidden unless *caller*, who sees *image*, may also change it, upload its data or delete it."""
    if caller.is_admin:
        return
    if not is_owner(caller, image):
        raise Forbidden(f"Image {image.id} belongs to another project.")
    if not caller.can_write:
        raise Forbidden("Changing an image needs the role member.")


def check_can_download(caller: Caller, image: Image) -> None:
    """Raise Forbidden unless *caller*, who sees *image*, may download its data."""
    if not caller.can_write:
        raise Forbidden("Downloading an image needs the role member.")
    if image.status == "deactivated" and not caller.is_admin:
        raise Forbidden(f"Image {image.id} is deactivated.")
