"""Find the image of a request, if the caller may see it or change it."""

from __future__ import annotations

from sqlalchemy import Connection

from ecl.server.db.images import fetch_image
from ecl.server.db.members import is_member
from ecl.server.domain.access import (
    check_can_change,
    image_not_found,
    needs_membership,
    sees_without_membership,
)
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import Image

__all__ = ["caller_sees", "changeable_image", "visible_image"]


def caller_sees(connection: Connection, region: str, caller: Caller, image: Image) -> bool:
    """Return True if *caller* may know that *image* exists."""
    if not caller.can_read:
        return False
    if sees_without_membership(caller, image):
        return True
    return (
        needs_membership(caller, image)
        and caller.project_id is not None
        and is_member(connection, region, image.id, caller.project_id)
    )


def visible_image(connection: Connection, region: str, caller: Caller, image_id: str) -> Image:
    """Return the image. Raises NotFound if it does not exist or *caller* does not see it."""
    image = fetch_image(connection, region, image_id)
    if image is None or not caller_sees(connection, region, caller, image):
        raise image_not_found(image_id)
    return image


def changeable_image(connection: Connection, region: str, caller: Caller, image_id: str) -> Image:
    """
    Return the image, for *caller* to change in a transaction that may write.

    Raises:
        NotFound: It does not exist, or the caller does not see it.
        Forbidden: The caller sees it but may not change it.
    """
    image = visible_image(connection, region, caller, image_id)
    check_can_change(caller, image)
    return image
