"""What the groups of the image proxy's methods share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ecl import proxy2
from ecl.image.v2.image import Image

__all__ = ["ImageProxyBase", "ImageRef"]

V = TypeVar("V")

#: An image: its ID, or what a method returned.
ImageRef = str | Image


class ImageProxyBase(proxy2.BaseProxy):
    """A proxy whose methods are about images."""

    def _image_id(self, image: ImageRef) -> Any:
        return self._id_of(Image, image)

    def _of_image(self, image: ImageRef, operation: Callable[[], V]) -> V:
        """Return what *operation* returns; where the service answers 404, it is the image that was not found."""
        return self._or_not_found(Image, self._image_id(image), operation)
