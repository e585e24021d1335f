"""The cloud's cache of image data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Cache"]

#: What can be cleared: the cache, its queue, or both.
_TARGETS = ("both", "cache", "queue")


class Cache(resource2.Resource):
    """The cached images, and those in the queue. For administrators, of clouds that have a cache."""

    service = image_service.ImageService()
    base_path = "/v2/cache"

    allow_get = True

    #: Each with *image_id*, *size* (bytes), *hits*, *last_accessed*, *last_modified*.
    cached_images = resource2.Body[list[dict[str, Any]]]("cached_images")
    #: IDs of images.
    queued_images = resource2.Body[list[str]]("queued_images")

    def queue(self, session: SessionLike, image_id: str) -> None:
        """Queue an image. Operation: PUT /v2/cache/{image_id}."""
        self._send(session, "PUT", image_id)

    def delete_image(self, session: SessionLike, image_id: str) -> None:
        """Remove an image from cache and queue. Operation: DELETE /v2/cache/{image_id}."""
        self._send(session, "DELETE", image_id)

    def clear(self, session: SessionLike, target: str = "both") -> None:
        """
        Remove all images. Operation: DELETE /v2/cache.

        Raises:
            InvalidRequest: *target* is not ``both``, ``cache`` or ``queue``.
        """
        if target not in _TARGETS:
            raise exceptions.InvalidRequest(f"target must be one of {', '.join(_TARGETS)}, not {target!r}")
        headers = {} if target == "both" else {"x-image-cache-clear-target": target}
        _http.request(session, "DELETE", self.base_path, service=self.service, headers=headers)

    def clean(self, session: SessionLike) -> None:
        """Remove invalid and stalled entries. Operation: POST /v2/cache/clean."""
        _http.request(session, "POST", f"{self.base_path}/clean", service=self.service)

    def prune(self, session: SessionLike) -> dict[str, int]:
        """
        Remove the least recently used images, until the cache has its maximum size.

        Operation: POST /v2/cache/prune.

        Returns:
            *total_files_pruned* and *total_bytes_pruned*.
        """
        response = _http.request(session, "POST", f"{self.base_path}/prune", service=self.service)
        body = _http.json_of(response)
        if not isinstance(body, dict):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a JSON object")
        return body

    def nodes(self, session: SessionLike, image_id: str) -> list[str]:
        """Return the addresses of the nodes that have an image. Operation: GET /v2/cache/nodes/{image_id}."""
        path = f"{self.base_path}/nodes/{_http.segment(image_id, 'image ID')}"
        response = _http.request(session, "GET", path, service=self.service)
        body = _http.json_of(response)
        if not isinstance(body, list):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a list")
        return body

    def _send(self, session: SessionLike, method: str, image_id: str) -> None:
        _http.request(session, method, f"{self.base_path}/{_http.segment(image_id, 'image ID')}", service=self.service)
