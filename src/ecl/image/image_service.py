"""The image service as the catalog knows it."""

from __future__ import annotations

from ecl import service_filter

__all__ = ["ImageService"]


class ImageService(service_filter.ServiceFilter):
    """Service type ``image``, version 2."""

    valid_versions = [service_filter.ValidVersion("v2")]

    def __init__(self, version: str = "v2") -> None:
        super().__init__(service_type="image", version=version)
