"""A location of an image: an address of its data."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image import image_service

__all__ = ["Location"]


class Location(resource2.Resource):
    """An address of an image's data."""

    resources_key = "locations"
    service = image_service.ImageService()
    base_path = "/v2/images/%(image_id)s/locations"

    allow_list = True

    #: Image that has its data there.
    image_id = resource2.URI[str]("image_id")
    #: The address.
    url = resource2.Body[str]("url")
    #: More about it: ``store``, the name of the store.
    metadata = resource2.Body[dict[str, Any]]("metadata")
