"""The data of a copy between two regions of this service: from store to store, without a request in between."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass

from ecl.exceptions import DigestMismatch
from ecl.server.data.incoming import Incoming
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.data.store.base import Reader, StoreError
from ecl.server.data.upload import begin_upload, receive_upload
from ecl.server.db.engine import Database
from ecl.server.db.images import fetch_image
from ecl.server.domain.image import Image
from ecl.server.errors import NotFound, Unavailable
from ecl.server.settings.model import Settings

__all__ = ["LocalRegions", "copy_directly"]


@dataclass(frozen=True, slots=True)
class LocalRegions:
    """The regions that this process serves, and what an upload to them needs."""

    settings: Settings
    database: Database
    node: Node
    by_name: Mapping[str, Region]


def copy_directly(
    regions: LocalRegions,
    source: tuple[str, str],
    target: tuple[str, str],
    progress: Callable[[int, int | None], None],
) -> None:
    """
    Copy the data of the image *source* to the queued image *target*, which is active then.

    It is an upload like any other: quotas, formats and hashes are checked. The last block is passed on only when the
    whole has the hash of *source*.

    Args:
        source: Region and ID of an image.
        target: The same.
        progress: Called with the bytes copied so far, and all of them; what it raises ends the copy.

    Raises:
        DigestMismatch: The source's data is damaged.
        ServiceError: The copy is not possible.
    """
    here, there = regions.by_name[source[0]], regions.by_name[target[0]]
    with regions.database.read() as connection:
        image = fetch_image(connection, here.name, source[1])
        queued = fetch_image(connection, there.name, target[1])
    if image is None or queued is None:
        raise NotFound("The image was deleted during its copy.")
    with (
        closing(_open(here, image)) as reader,
        Incoming(regions.node, regions.database, there, there.store, queued.id) as incoming,
    ):
        with regions.database.write() as connection:
            upload = begin_upload(connection, incoming, regions.settings, queued, reader.size)
        # The loop is the job's own: nothing else runs in it.
        asyncio.run(receive_upload(upload, _Body(reader, image, progress)))


def _open(region: Region, image: Image) -> Reader:
    """Open the data in the first store that has all of it."""
    for name, key in image.stores.items():
        store = region.store_named(name)
        if store is not None:
            with suppress(StoreError):
                reader = store.reader(key)
                if reader.size == image.size:
                    return reader
                reader.close()
    raise Unavailable(f"The data of image {image.id} cannot be read at the moment.")


class _Body:
    """The data of an image, as the body of an upload."""

    def __init__(self, reader: Reader, image: Image, progress: Callable[[int, int | None], None]) -> None:
        self._reader = reader
        self._expected = image.os_hash_value
        self._hash = hashlib.new(image.os_hash_algo or "sha512")
        self._progress = progress
        self._done = 0

    async def readinto(self, buffer: memoryview, /) -> int:
        """Fill *buffer*; return the number of bytes. Raises DigestMismatch instead of the last block."""
        data = self._reader.read(self._done, len(buffer))
        if data:
            self._hash.update(data)
            self._done += len(data)
            if self._done == self._reader.size and self._expected not in (None, self._hash.hexdigest()):
                raise DigestMismatch(
                    f"the data does not have the image's {self._hash.name}; it is damaged in its store"
                )
            buffer[: len(data)] = data
            self._progress(self._done, self._reader.size)
        return len(data)
