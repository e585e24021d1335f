"""What a cloud speaks and can do, and what of it a project uses."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image import image_service

__all__ = ["Import", "Usage", "Version"]


class Import(resource2.Resource):
    """The ways to import an image."""

    service = image_service.ImageService()
    base_path = "/v2/info/import"

    allow_get = True

    #: As the API has it: *description*, *type*, and the names as *value*.
    import_methods = resource2.Body[dict[str, Any]]("import-methods")

    @property
    def methods(self) -> list[str]:
        """Names of the methods: ``glance-direct``, ``web-download`` …"""
        found = (self.import_methods or {}).get("value")
        return list(found) if isinstance(found, (list, tuple)) else []


class Usage(resource2.Resource):
    """What a project uses, and its limits: each a dict of *usage* and *limit* (-1: none), or None if not limited."""

    resource_key = "usage"
    service = image_service.ImageService()
    base_path = "/v2/info/usage"

    allow_get = True

    #: MiB of images.
    image_size_total = resource2.Body[dict[str, int]]("image_size_total")
    #: MiB that wait for their import.
    image_stage_total = resource2.Body[dict[str, int]]("image_stage_total")
    #: Images, and those that are being filled.
    image_count_total = resource2.Body[dict[str, int]]("image_count_total")
    image_count_uploading = resource2.Body[dict[str, int]]("image_count_uploading")


class Version(resource2.Resource):
    """A version of the API. A minor one only says which features there are: all of them are spoken below ``/v2``."""

    resources_key = "versions"
    service = image_service.ImageService()
    base_path = "/versions"

    allow_list = True

    #: Its name: ``v2.17``.
    id = resource2.Body[str]("id")
    #: CURRENT, SUPPORTED, EXPERIMENTAL or DEPRECATED.
    status = resource2.Body[str]("status")
    #: Where it is: each with *rel* and *href*.
    links = resource2.Body[list[dict[str, str]]]("links")
