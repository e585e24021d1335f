"""A tag of an image: a text attached to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions, resource2
from ecl.image import image_service
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Tag"]


class Tag(resource2.Resource):
    """A text attached to an image."""

    service = image_service.ImageService()
    base_path = "/v2/images/%(image_id)s/tags/%(tag)s"

    #: Image that has the tag.
    image_id = resource2.URI[str]("image_id")
    #: The text.
    tag = resource2.URI[str]("tag")

    def add_tag(self, session: SessionLike, image_id: Any, tag: str) -> None:
        """
        Add *tag*, unless the image has it already.

        Operation: PUT /v2/images/{image_id}/tags/{tag}; for a tag that no URL can hold, PATCH of the list.

        Raises:
            InvalidRequest: *tag* is empty, or not text.
            NotFoundException: There is no such image.
        """
        if self._fits_url(tag):
            self._send(session, "PUT", image_id, tag)
            return
        image = Image.existing(id=self._get_id(image_id)).get(session)
        image.update(session, attrs_list={"tags": sorted({*(image.tags or []), tag})})

    def delete_tag(self, session: SessionLike, image_id: Any, tag: str) -> None:
        """
        Remove *tag*.

        Operation: DELETE /v2/images/{image_id}/tags/{tag}; for a tag that no URL can hold, PATCH of the list.

        Raises:
            InvalidRequest: *tag* is empty, or not text.
            NotFoundException: There is no such image, or it has no such tag.
        """
        if self._fits_url(tag):
            self._send(session, "DELETE", image_id, tag)
            return
        image = Image.existing(id=self._get_id(image_id)).get(session)
        if tag not in (image.tags or []):
            raise exceptions.NotFoundException(f"Image {image.id} has no tag {tag!r}")
        image.update(session, attrs_list={"tags": [other for other in image.tags or [] if other != tag]})

    def _send(self, session: SessionLike, method: str, image_id: Any, tag: str) -> None:
        self._update(image_id=self._get_id(image_id), tag=tag)
        _http.request(session, method, self._path(requires_id=False), service=self.service)

    def _fits_url(self, tag: str) -> bool:
        # For a Glance a slash, quoted or not, separates the segments of a path, "." and ".." are steps in it, and
        # bytes beyond ASCII are Latin-1.
        return _http.text(tag, "tag").isascii() and "/" not in tag and tag not in (".", "..")
