"""Brings images into the cache that an administrator has asked for, one after the other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

from ecl.server.data.reading import open_image, reading_order
from ecl.server.data.region import Region
from ecl.server.data.store.base import StoreError
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.images import fetch_image
from ecl.server.domain.status import ACTIVE
from ecl.server.errors import ServiceError

__all__ = ["Prefetcher"]

_log = logging.getLogger(__name__)

_BLOCK = 1 << 20


class Prefetcher:
    """
    A thread with a queue of images. The queue is in memory: a restart forgets it.

    As a context it ends the thread, after the block of data that it reads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: list[tuple[Region, str]] = []
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Prefetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def add(self, region: Region, image_id: str) -> None:
        """Queue an image, unless it is queued."""
        with self._changed:
            if (region, image_id) not in self._queue:
                self._queue.append((region, image_id))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="prefetcher", daemon=True)
                self._thread.start()
            self._changed.notify()

    def queued(self, region: Region) -> list[str]:
        """Return the IDs of the queued images of *region*, the one in work included."""
        with self._changed:
            return [image_id for each, image_id in self._queue if each is region]

    def remove(self, region: Region, image_ids: Sequence[str]) -> None:
        """Take images out of the queue, and give up the one in work if it is among them."""
        with self._changed:
            self._queue = [entry for entry in self._queue if entry[0] is not region or entry[1] not in image_ids]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping or self._queue)
                if self._is_stopping:
                    return
                entry = self._queue[0]
            try:
                self._fetch(*entry)
            except (ServiceError, StoreError, DatabaseError, OSError) as exc:
                _log.warning("image %s does not get into the cache: %s", entry[1], exc)
            except Exception:  # noqa: BLE001 - the thread has to live
                _log.exception("image %s does not get into the cache", entry[1])
            with self._changed:
                self._queue = [other for other in self._queue if other != entry]

    def _fetch(self, region: Region, image_id: str) -> None:
        with self._database.read() as connection:
            image = fetch_image(connection, region.name, image_id)
        if image is None or image.status != ACTIVE or region.cache is None or region.cache.has(image_id):
            return
        reader = open_image(region, image, reading_order(region, image), fills_cache=True)
        try:
            # An empty image is read, too.
            for offset in range(0, max(reader.size, 1), _BLOCK):
                if self._is_stopping or image_id not in self.queued(region):
                    return
                reader.read(offset, min(_BLOCK, reader.size - offset))
        finally:
            reader.close()
