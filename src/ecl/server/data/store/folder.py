"""
A store in a folder: one file for each key.

An upload to a key goes to ``.uploads/<key>`` beside the files, so that the final rename is within one file system.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ecl.server.data.store.base import (
    DataMissing,
    Known,
    Reader,
    Store,
    StoreFull,
    StoreUnavailable,
    UnknownData,
    Writer,
    checked_key,
)
from ecl.server.data.store.linking import link_or_copy
from ecl.server.data.store.marker import NAME as MARKER
from ecl.server.data.store.marker import Marker, check_folder, claim_folder

__all__ = ["FolderStore"]

#: Bytes per write. The page cache takes memory in pieces as large as a write, and a virtual machine has only small ones
#: ready: each page of a large one comes from the host, which takes as long as hashing it.
_WRITE_SIZE = 256 << 10
#: Bytes between two syncs to disk, at first and at most: each time twice as many. So a small image is nearly on disk
#: when its last byte comes, and a large one is synced in large parts.
_FIRST_SYNC = 4 << 20
_LAST_SYNC = 32 << 20
#: Keys per query while looking for unknown files: SQLite before 3.32 takes 999 parameters, and each key is two.
_BATCH = 400
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
    ) -> None:
        self.name = name
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

    def writer(self, key: str) -> FolderWriter:
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

    def unknown(self, known: Known, is_stopping: Callable[[], bool] = lambda: False) -> Iterator[UnknownData]:
        """Yield the files, also in ``.uploads``, whose names are keys that are not *known*."""
        with _translated_errors(self._root):
            for folder in (self._uploads, self._root):
                for batch in _batches(_names(folder)):
                    if is_stopping():
                        return
                    for key in sorted(set(batch) - known(batch)):
                        with suppress(FileNotFoundError):
                            found = (folder / key).lstat()
                            name = str((folder / key).relative_to(self._root))
                            yield UnknownData(key, name, found.st_size, found.st_mtime_ns // 1000)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


class FolderWriter(Writer):
    """One upload: a file that `commit` renames to its final name."""

    def __init__(self, temporary: Path, final: Path) -> None:
        self._temporary = temporary
        self._final = final
        self._pending = True
        self._unsynced = 0
        self._sync_after = _FIRST_SYNC
        self._syncing: _SyncThread | None = None
        with _translated_errors(self._final.parent):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor: int | None = os.open(temporary, flags, 0o600)

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append the whole *block*."""
        assert self._descriptor is not None
        with _translated_errors(self._final.parent):
            rest = memoryview(block)
            self._unsynced += len(rest)
            while rest:
                rest = rest[os.write(self._descriptor, rest[:_WRITE_SIZE]) :]
            if self._unsynced >= self._sync_after and (self._syncing is None or not self._syncing.is_alive()):
                self._end_syncing()
                self._unsynced = 0
                self._sync_after = min(2 * self._sync_after, _LAST_SYNC)
                self._syncing = _SyncThread(self._descriptor)
                self._syncing.start()

    def flush(self) -> None:
        """Flush to disk (fsync) and close the file."""
        if self._descriptor is None:
            return
        with _translated_errors(self._final.parent):
            self._end_syncing()
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
            self._end_syncing()
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            os.unlink(self._temporary)

    def _end_syncing(self) -> None:
        """Wait for the running sync. The system reports an error of the disk only once, so it is raised here."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.join()
            if syncing.error is not None:
                raise syncing.error

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class _SyncThread(threading.Thread):
    """Syncs written data to disk while more is written, so that the last sync is short."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="ecl-sync", daemon=True)
        self._descriptor = descriptor
        self.error: OSError | None = None

    def run(self) -> None:
        """Sync once."""
        try:
            os.fdatasync(self._descriptor)
        except OSError as exc:
            self.error = exc


class FolderReader(Reader):
    """An open file."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        self._folder = folder
        self._descriptor = descriptor
        self._open = True
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*."""
        with _translated_errors(self._folder):
            return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        """Close the file."""
        if self._open:
            self._open = False
            os.close(self._descriptor)


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


def _names(folder: Path) -> Iterator[str]:
    """Yield the names of the files in *folder* that are keys; other files are not the store's."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(ValueError):
                yield checked_key(entry.name)


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for name in names:
        batch.append(name)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
