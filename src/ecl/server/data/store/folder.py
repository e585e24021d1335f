"""
A store in a folder: one file for each key.

An upload to a key goes to ``.uploads/<key>`` beside the files, so that the final rename is within one file system.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ecl.server.data.store.base import (
    DataMissing,
    Reader,
    Store,
    Stored,
    StoreFull,
    StoreUnavailable,
    Writer,
    checked_key,
)
from ecl.server.data.store.linking import link_or_copy
from ecl.server.data.store.marker import NAME as MARKER
from ecl.server.data.store.marker import Marker, check_folder, claim_folder
from ecl.server.data.store.writeback import start_writeback

__all__ = ["FolderStore"]

#: Bytes per write. The page cache takes memory in pieces as large as a write, and a virtual machine has only small ones
#: ready: each page of a large one comes from the host, which takes as long as hashing it.
_WRITE_SIZE = 256 << 10
#: Bytes that are written between two times when the system starts to bring them to the disk, at first and at most: each
#: time twice as many. So a small image is nearly on disk when its last byte comes, and a large one goes in large parts.
_FIRST_SYNC = 4 << 20
_LAST_SYNC = 32 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore(Store):
    """
    A store in the folder *root*.

    Args:
        root: Absolute path; nothing else may write there.
        name: The name of the store in the database and for clients.
        description: For people.
        read_only: Nothing is written or removed, not even by `claim`.
        create: Create the folder now if it does not exist; otherwise `claim` does that.
        weight: See `Store.weight`.
        cached: See `Store.cached`.
    """

    kind = "file"

    def __init__(
        self,
        root: Path,
        name: str = "folder",
        description: str | None = None,
        *,
        read_only: bool = False,
        create: bool = True,
        weight: int = 0,
        cached: bool = False,
    ) -> None:
        self.name = name
        self.cached = cached
        self.weight = weight
        self.description = description
        self.read_only = read_only
        self._root = root
        self._uploads = root / ".uploads"
        self._is_claimed = False
        if create and not read_only:
            self._create()

    @property
    def properties(self) -> Mapping[str, str]:
        """The path of the folder."""
        return {"data_dir": str(self._root)}

    def url(self, key: str) -> str:
        """Return the file's URL."""
        return self._path(key).as_uri()

    def writer(self, key: str, size: int | None = None) -> FolderWriter:  # noqa: ARG002 - a file needs no plan
        """Start an upload in a file of its own, unless the marker is gone."""
        if self._is_claimed and not self.has_mark:
            # On an empty mount point, the data would be hidden as soon as the disk is mounted again.
            raise StoreUnavailable(f"{self._root} has no {MARKER}: perhaps its disk is not mounted")
        return FolderWriter(self._uploads / checked_key(key), self._path(key))

    def reader(self, key: str) -> FolderReader:
        """Open the file of *key*; it stays readable after `delete`."""
        with _translated_errors(self._root):
            try:
                descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError as exc:
                raise DataMissing(f"no bytes under the key {key}") from exc
            return FolderReader(descriptor, self._root)

    def copy_to(self, key: str, target: Path, *, link: bool) -> bool:
        """Link the file of *key* as *target*, or copy it."""
        try:
            return link_or_copy(self._path(key), target, link=link)
        except FileNotFoundError as exc:
            raise DataMissing(f"no bytes under the key {key}") from exc

    def add_from(self, key: str, source: Path, *, link: bool) -> bool:
        """Link *source* as the file of *key*, or copy it."""
        with _translated_errors(self._root):
            return link_or_copy(source, self._path(key), link=link)

    def delete(self, key: str) -> None:
        """Remove the file of *key*, durably, and that of an upload to it."""
        with _translated_errors(self._root):
            # The upload first: a rename in between is met by the second step.
            for path in (self._uploads / checked_key(key), self._path(key)):
                with suppress(FileNotFoundError):
                    os.unlink(path)
                    _sync_folder(path.parent)

    def claim(self, database: str, region: str) -> None:
        """Create the folder, and write the marker file or check the existing one."""
        if self.read_only:
            return
        self._create()
        with _translated_errors(self._root):
            claim_folder(self._root, Marker(database, region, self.name))
            _sync_folder(self._root)
        self._is_claimed = True

    def entries(self) -> Iterator[Stored]:
        """Yield the files, also in ``.uploads``, whose names are keys."""
        with _translated_errors(self._root):
            for folder in (self._uploads, self._root):
                with os.scandir(folder) as found:
                    for entry in found:
                        with suppress(ValueError, FileNotFoundError):
                            status = entry.stat(follow_symlinks=False)
                            name = str(Path(entry.path).relative_to(self._root))
                            yield Stored(checked_key(entry.name), name, status.st_size, status.st_mtime)

    def _create(self) -> None:
        with _translated_errors(self._root):
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._uploads.mkdir(mode=0o700, exist_ok=True)
            for folder in (self._root, self._root.parent):
                _sync_folder(folder)

    @property
    def has_mark(self) -> bool:
        """True if there is a marker file, or none is wanted."""
        return self.read_only or (self._root / MARKER).exists()

    def check(self, database: str, region: str) -> None:
        """Check the marker file; of a read-only store, that the folder is there."""
        with _translated_errors(self._root):
            if self.read_only:
                self._root.stat()
            else:
                check_folder(self._root, Marker(database, region, self.name))

    @property
    def free_bytes(self) -> int:
        """Free bytes of the folder's file system."""
        with _translated_errors(self._root):
            found = os.statvfs(self._root)
        return found.f_bavail * found.f_frsize

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


class FolderWriter(Writer):
    """One upload: a file that `commit` renames to its final name."""

    def __init__(self, temporary: Path, final: Path) -> None:
        self._temporary = temporary
        self._final = final
        self._pending = True
        self._written = 0
        #: Bytes from the start that are on their way to the disk, and how many more it takes until they follow.
        self._started = 0
        self._start_after = _FIRST_SYNC
        with _translated_errors(self._final.parent):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor: int | None = os.open(temporary, flags, 0o600)

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append the whole *block*."""
        assert self._descriptor is not None
        with _translated_errors(self._final.parent):
            rest = memoryview(block)
            self._written += len(rest)
            while rest:
                rest = rest[os.write(self._descriptor, rest[:_WRITE_SIZE]) :]
        if self._written - self._started >= self._start_after:
            start_writeback(self._descriptor, self._started, self._written - self._started)
            self._started = self._written
            self._start_after = min(2 * self._start_after, _LAST_SYNC)

    def flush(self) -> None:
        """Flush to disk (fsync) and close the file."""
        if self._descriptor is None:
            return
        with _translated_errors(self._final.parent):
            os.fsync(self._descriptor)
            self._close()

    def commit(self) -> None:
        """Rename the file to its final name, durably."""
        self.flush()
        with _translated_errors(self._final.parent):
            os.replace(self._temporary, self._final)
            self._pending = False
            _sync_folder(self._final.parent)

    def abort(self) -> None:
        """Remove the file."""
        if not self._pending:
            return
        self._pending = False
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            os.unlink(self._temporary)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class FolderReader(Reader):
    """An open file."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        self._folder = folder
        self.descriptor: int = descriptor
        self._open = True
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*."""
        with _translated_errors(self._folder):
            return os.pread(self.descriptor, length, offset)

    def close(self) -> None:
        """Close the file."""
        if self._open:
            self._open = False
            os.close(self.descriptor)


@contextmanager
def _translated_errors(folder: Path) -> Iterator[None]:
    """Translate errors of the operating system into those of the store in *folder*."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise StoreFull(f"no room in the store {folder}: {exc.strerror}") from exc
        raise StoreUnavailable(f"the store failed: {folder}: {exc.strerror}") from exc


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
