"""API versions, import methods, and the usage of a project."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image import image_service

__all__ = ["Import", "Usage", "Version"]


class Import(resource2.Resource):
    """The import methods of the cloud."""

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
    """Usage and limits of a project: dicts of *usage* and *limit* (-1: unlimited), or None if there is no limit."""

    resource_key = "usage"
    service = image_service.ImageService()
    base_path = "/v2/info/usage"

    allow_get = True

    #: MiB of images.
    image_size_total = resource2.Body[dict[str, int]]("image_size_total")
    #: MiB in the staging area.
    image_stage_total = resource2.Body[dict[str, int]]("image_stage_total")
    #: Number of images, and of those that are being uploaded.
    image_count_total = resource2.Body[dict[str, int]]("image_count_total")
    image_count_uploading = resource2.Body[dict[str, int]]("image_count_uploading")


class Version(resource2.Resource):
    """A version of the API. A minor version only says which features there are: all are below ``/v2``."""

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
