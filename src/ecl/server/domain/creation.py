"""Create an image from a request body."""

from __future__ import annotations

import uuid
from typing import Any

from ecl.server.clock import now
from ecl.server.domain.access import check_can_create, check_visibility_value
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import (
    BASE_ATTRIBUTES,
    Image,
    check_name_writable,
    check_properties,
    check_quotas,
)
from ecl.server.domain.schemas import validate
from ecl.server.domain.status import QUEUED
from ecl.server.domain.update import unique_tags
from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImageLimits, RegionSettings

__all__ = ["new_image"]


#: Read-only names that are refused before the schema is checked; for the others a wrong type is reported first.
_LINKS = frozenset({"self", "file", "schema", "direct_url", "stores"})


def new_image(body: object, caller: Caller, region: RegionSettings, limits: ImageLimits) -> Image:
    """
    Return the queued image that the decoded *body* describes.

    Raises:
        BadRequest: The body does not fit the schema, or names a licence switch type that the region does not have.
        Forbidden: The caller may not create this image, or the body sets a read-only attribute.
        TooLarge: The image has more properties or tags than the limits allow.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body of an image creation must be a JSON object.")
    for name in body.keys() & _LINKS:
        check_name_writable(name)
    validate("image", body)
    for name in body:
        check_name_writable(name)
    # An empty owner means no owner.
    owner = body.get("owner", caller.project_id) or None
    check_can_create(caller, owner)
    visibility = body.get("visibility", "shared")
    check_visibility_value(caller, visibility)
    image = _image_of(body, owner, visibility)
    check_properties(image.properties, region)
    check_quotas(image, limits)
    return image


def _image_of(body: dict[str, Any], owner: str | None, visibility: str) -> Image:
    moment = now()
    return Image(
        id=body["id"].lower() if "id" in body else str(uuid.uuid4()),
        status=QUEUED,
        visibility=visibility,
        created_at=moment,
        updated_at=moment,
        name=body.get("name"),
        owner=owner,
        disk_format=body.get("disk_format"),
        container_format=body.get("container_format"),
        # The schema accepts 2.0 as an integer.
        min_disk=int(body.get("min_disk", 0)),
        min_ram=int(body.get("min_ram", 0)),
        protected=body.get("protected", False),
        os_hidden=body.get("os_hidden", False),
        tags=sorted(unique_tags(body.get("tags", []))),
        properties={name: value for name, value in body.items() if name not in BASE_ATTRIBUTES},
    )
