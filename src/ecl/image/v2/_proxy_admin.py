"""The image proxy's methods for deactivation, and for the cloud's cache."""

from __future__ import annotations

from typing import Literal

from ecl import _http, exceptions
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef
from ecl.image.v2.cache import Cache
from ecl.image.v2.image import Image

__all__ = ["AdminProxy"]


class AdminProxy(ImageProxyBase):
    """Deactivate, reactivate, cache."""

    def deactivate_image(self, image: ImageRef) -> None:
        """
        Allow only administrators to download the data of an active image.

        Operation: POST /v2/images/{image_id}/actions/deactivate.

        Raises:
            ResourceNotFound: There is no such image.
            ForbiddenException: It has no data, or is not yours.
        """
        self._act(image, "deactivate")

    def reactivate_image(self, image: ImageRef) -> None:
        """
        Allow downloads of a deactivated image again.

        Operation: POST /v2/images/{image_id}/actions/reactivate.

        Raises:
            ResourceNotFound: There is no such image.
            ForbiddenException: It has no data, or is not yours.
        """
        self._act(image, "reactivate")

    def _act(self, image: ImageRef, action: str) -> None:
        path = f"{self._image_path(image)}/actions/{action}"
        with self._naming_image(image):
            _http.request(self.session, "POST", path, service=Image.service)

    # --- cache --------------------------------------------------------------------------------------------

    def get_image_cache(self) -> Cache:
        """
        Get the content of the cloud's cache: for administrators.

        Operation: GET /v2/cache.

        Raises:
            NotFoundException: The cloud has no cache.
            ForbiddenException: You are no administrator.
        """
        return Cache().get(self.session, requires_id=False)

    def queue_image(self, image_id: ImageRef) -> None:
        """
        Queue an image for the cache: for administrators.

        Operation: PUT /v2/cache/{image_id}.

        Raises:
            ResourceNotFound: There is no such image, or the cloud has no cache.
            BadRequestException: The image is not active.
        """
        with self._naming_image(image_id):
            Cache().queue(self.session, self._image_id(image_id))

    def cache_delete_image(self, image: ImageRef, ignore_missing: bool = True) -> None:
        """
        Remove an image from the cache and its queue: for administrators.

        Operation: DELETE /v2/cache/{image_id}.

        Args:
            ignore_missing: False raises when it is in neither.

        Raises:
            ResourceNotFound: It is in neither, and *ignore_missing* is false.
        """
        try:
            with self._naming_image(image):
                Cache().delete_image(self.session, self._image_id(image))
        except exceptions.ResourceNotFound:
            if not ignore_missing:
                raise

    def clear_cache(self, target: Literal["both", "cache", "queue"] = "both") -> None:
        """
        Empty the cache, its queue, or both: for administrators.

        Operation: DELETE /v2/cache.

        Raises:
            NotFoundException: The cloud has no cache.
        """
        Cache().clear(self.session, target)

    def clean_cache(self) -> None:
        """
        Remove invalid and stalled entries of the cache: for administrators.

        Operation: POST /v2/cache/clean.

        Raises:
            NotFoundException: The cloud has no cache, or does not support this.
        """
        Cache().clean(self.session)

    def prune_cache(self) -> dict[str, int]:
        """
        Shrink the cache to its maximum size: for administrators.

        Operation: POST /v2/cache/prune.

        Returns:
            *total_files_pruned* and *total_bytes_pruned*.

        Raises:
            NotFoundException: The cloud has no cache, or does not support this.
        """
        return Cache().prune(self.session)

    def cached_image_nodes(self, image: ImageRef) -> list[str]:
        """
        Return the addresses of the nodes that have an image in their cache: for administrators.

        Operation: GET /v2/cache/nodes/{image_id}.

        Raises:
            ResourceNotFound: There is no such image, or the cloud has no cache.
            ConflictException: The cloud does not keep track of its nodes.
        """
        with self._naming_image(image):
            return Cache().nodes(self.session, self._image_id(image))
