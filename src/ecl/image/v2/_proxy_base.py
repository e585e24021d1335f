"""The base of the image proxy's groups of methods."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ecl import exceptions, proxy2, resource2
from ecl._http import polling
from ecl._resource.missing import naming
from ecl.image.v2._query import check_whole_number
from ecl.image.v2.image import Image

__all__ = ["ImageProxyBase", "ImageRef", "polls"]

#: Seconds of the first pause between two polls; each is twice the one before.
_FIRST_PAUSE = 0.1

R = TypeVar("R", bound=resource2.Resource)

#: An image, or its ID.
ImageRef = str | Image


class ImageProxyBase(proxy2.BaseProxy):
    """A proxy whose methods are about images."""

    def _image_id(self, image: ImageRef) -> Any:
        return self._id_of(Image, image)

    def _image(self, image: ImageRef) -> Image:
        """Return *image*, or an image with that ID. Raises InvalidRequest for a resource of another type."""
        return image if isinstance(image, Image) else Image.existing(id=self._image_id(image))

    def _image_path(self, image: ImageRef) -> str:
        return self._image(image)._path()

    def _limited(
        self, resource_type: type[R], limit: int | None, page_size: int | None, query: Mapping[str, Any]
    ) -> Iterator[R]:
        """Yield at most *limit* resources, *page_size* in one answer. Raises InvalidRequest."""
        check_whole_number("limit", limit, 0)
        check_whole_number("page_size", page_size, 1)
        sizes = [size for size in (limit, page_size) if size is not None]
        asked = {**query, "limit": min(sizes)} if sizes else query
        return itertools.islice(self._list(resource_type, **{"paginated": True, **asked}), limit)

    def _naming_image(self, image: ImageRef) -> AbstractContextManager[None]:
        """Say which image was not found if the service answers 404. Raises ResourceNotFound."""
        return naming(Image, self._image_id(image))


def polls(interval: float, wait: float) -> Iterator[None]:
    """
    Return an iterator that yields once for each poll, and pauses in between.

    Args:
        interval: Maximum seconds between polls; the first polls come faster.
        wait: Seconds for all of them; the last poll is made when they have passed.

    Raises:
        InvalidRequest: *interval* or *wait* is negative, or no number.
    """
    _check_seconds("interval", interval)
    _check_seconds("wait", wait)
    return polling.polls(interval, wait, _FIRST_PAUSE)


def _check_seconds(name: str, value: object) -> None:
    # What is not a number is neither above nor below zero.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= 0:
        raise exceptions.InvalidRequest(f"{name} must be a number of seconds, not {value!r}")
