"""Where the data of an image is read: in the cache, or in the store that goes first."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ecl.server.data.region import Region
from ecl.server.data.store.base import Reader, StoreError
from ecl.server.data.verified import VerifiedReader
from ecl.server.domain.image import Image
from ecl.server.domain.location import ELSEWHERE
from ecl.server.errors import Unavailable

__all__ = ["open_image", "reading_order"]

_log = logging.getLogger(__name__)


def reading_order(region: Region, image: Image, preferred: Sequence[str] = ()) -> list[str]:
    """Return the stores that have the data: *preferred* ones, then by weight; of equals, the default store first."""
    order = [*preferred, *region.by_weight([region.store.name, *image.stores])]
    return sorted(image.stores, key=order.index)


def open_image(region: Region, image: Image, order: Sequence[str], *, fills_cache: bool = False) -> Reader:
    """
    Return a reader of the image's data in the first store of *order* that can be read. It outlives a delete.

    Args:
        fills_cache: True keeps what is read in the cache, whichever store it comes from; otherwise the stores say.

    Raises:
        Unavailable: No store can be read.
    """
    for name in order:
        store = region.store_named(name)
        if store is None:
            continue
        try:
            reader = store.reader(image.stores[name])
        except StoreError as exc:
            _log.error("image %s of region %s cannot be read from %s: %s", image.id, region.name, name, exc)
            continue
        if reader.size == image.size:
            if name == ELSEWHERE:
                reader = _verified(reader, image)
            if region.cache is not None and (store.cached or fills_cache):
                reader = region.cache.filling(image.id, reader)
            return reader
        reader.close()
        _log.error("image %s of region %s: %s has %d bytes of it", image.id, region.name, name, reader.size)
    raise Unavailable(f"The data of image {image.id} cannot be read at the moment.")


def _verified(reader: Reader, image: Image) -> Reader:
    """Return *reader* with a check of the image's hash, if it has one: who serves the data may have changed it."""
    if image.os_hash_algo is None or image.os_hash_value is None:
        return reader
    return VerifiedReader(reader, image.os_hash_algo, image.os_hash_value)
