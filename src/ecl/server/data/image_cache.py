"""
The image cache: copies, in a folder of its own, of data that takes long to read where it is.

The folder is bounded: when a copy comes in, those that were read the longest time ago go. Data of an image never
changes, and the ID of a deleted image is never used again, so a copy is never out of date.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecl.server.data.store.base import Reader
from ecl.server.domain.ids import is_uuid

__all__ = ["CachedImage", "ImageCache"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class CachedImage:
    """A copy in the cache. Times are seconds since the epoch."""

    image_id: str
    #: Bytes.
    size: int
    last_modified: float
    last_accessed: float
    #: Downloads from it since the service was started.
    hits: int = 0


class ImageCache:
    """
    The copies of one region's images in *folder*, which is made if it does not exist.

    Use it in any thread. What an earlier process has left unfinished there is removed.

    Args:
        max_bytes: Most bytes of all copies together.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._incomplete = folder / ".incomplete"
        self._lock = threading.Lock()
        self._copies: dict[str, CachedImage] = {}
        self._incomplete.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incomplete.iterdir():
            left.unlink()
        for path in folder.iterdir():
            if is_uuid(path.name):
                found = path.stat()
                self._copies[path.name] = CachedImage(path.name, found.st_size, found.st_mtime, found.st_mtime)
        self.prune()

    def listed(self) -> list[CachedImage]:
        """Return the copies, by ID."""
        with self._lock:
            return [self._copies[image_id] for image_id in sorted(self._copies)]

    def reader(self, image_id: str, size: int) -> Reader | None:
        """Return a reader of the copy, None if there is none with *size* bytes."""
        with self._lock:
            copy = self._copies.get(image_id)
            if copy is None or copy.size != size:
                return None
            try:
                reader = _FileReader(self._folder / image_id)
            except OSError as exc:
                _log.warning("the copy of image %s in the cache cannot be read: %s", image_id, exc.strerror)
                return None
            copy.hits += 1
            copy.last_accessed = time.time()
        # So that the order is still known after a restart.
        with suppress(OSError):
            os.utime(self._folder / image_id)
        return reader

    def filling(self, image_id: str, inner: Reader) -> Reader:
        """Return a reader of the same data as *inner*; what is read from the first byte to the last is kept."""
        return inner if inner.size > self._max_bytes else _Filling(self, image_id, inner)

    def has(self, image_id: str) -> bool:
        """Return True if there is a copy."""
        with self._lock:
            return image_id in self._copies

    def delete(self, image_id: str) -> None:
        """Remove the copy, if there is one."""
        with self._lock:
            self._remove(image_id)

    def clear(self) -> int:
        """Remove all copies. Return how many there were."""
        with self._lock:
            found = list(self._copies)
            for image_id in found:
                self._remove(image_id)
        return len(found)

    def prune(self) -> tuple[int, int]:
        """Remove the copies that were read the longest time ago, until the rest fits. Return their number and bytes."""
        with self._lock:
            return self._make_room(0)

    def start(self) -> Path:
        """Return a new path for a copy that is being written."""
        return self._incomplete / str(uuid.uuid4())

    def keep(self, image_id: str, path: Path, size: int) -> None:
        """Make the file at *path*, from `start`, the copy of the image. Raises OSError."""
        with self._lock:
            self._make_room(size)
            path.replace(self._folder / image_id)
            moment = time.time()
            self._copies[image_id] = CachedImage(image_id, size, moment, moment)

    def _make_room(self, size: int) -> tuple[int, int]:
        count = freed = 0
        total = size + sum(copy.size for copy in self._copies.values())
        for copy in sorted(self._copies.values(), key=lambda copy: copy.last_accessed):
            if total - freed <= self._max_bytes:
                break
            self._remove(copy.image_id)
            count, freed = count + 1, freed + copy.size
        return count, freed

    def _remove(self, image_id: str) -> None:
        if self._copies.pop(image_id, None) is not None:
            (self._folder / image_id).unlink(missing_ok=True)


class _FileReader(Reader):
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        self._file.close()


class _Filling(Reader):
    """Writes to the cache what is read in order. A cache that cannot be written to does not disturb the reading."""

    def __init__(self, cache: ImageCache, image_id: str, inner: Reader) -> None:
        self._cache = cache
        self._image_id = image_id
        self._inner = inner
        self._done = 0
        self._path = cache.start()
        self.size = inner.size

    def read(self, offset: int, length: int) -> bytes:
        block = self._inner.read(offset, length)
        if offset != self._done:
            return block
        try:
            with self._path.open("ab") as file:
                file.write(block)
            self._done += len(block)
            if self._done == self.size:
                self._cache.keep(self._image_id, self._path, self.size)
        except OSError as exc:
            _log.warning("image %s does not get into the cache: %s", self._image_id, exc.strerror)
            self._done = -1
        return block

    def close(self) -> None:
        self._inner.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
