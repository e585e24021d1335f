"""
Image bytes in a folder: one file for each image, named by its ID.

Uploads go to ``.uploads`` beside the files, so that the final rename stays within one file system.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from ecl.server.data.store.base import (
    DataMissing,
    Judge,
    Reader,
    Store,
    StoreFull,
    StoreUnavailable,
    Swept,
    Writer,
    checked_key,
)
from ecl.server.data.store.marker import Marker, claim_folder

__all__ = ["FolderStore"]

#: Bytes written at a time. The system gives a file pieces of memory as large as what it is given, and a virtual machine
#: has only small ones at hand: of large ones each page is fetched from the host, which costs as much as a hash.
_PIECE = 256 << 10
#: Bytes after which a writer begins to bring them to the disk, and at most later: each time it waits for twice as many.
#: A small image is nearly there when its last byte comes, a large one does not make the disk work in bits.
_FIRST_SYNC = 4 << 20
_LAST_SYNC = 32 << 20
#: Keys handed to the database at once while sweeping.
_BATCH = 500
#: Names of unknown files that are reported.
_EXAMPLES = 3
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore(Store):
    """
    A store in the folder *root*, which is made if it is not there.

    Args:
        root: Absolute path; nothing else may write there.
        name: How the database and clients call this store.
        description: For people.
        read_only: Nothing is written or removed, not even by `claim` or `sweep`.
    """

    kind = "file"

    def __init__(
        self, root: Path, name: str = "folder", description: str | None = None, *, read_only: bool = False
    ) -> None:
        self.name = name
        self.description = description
        self.read_only = read_only
        self._root = root
        self._uploads = root / ".uploads"
        #: When the folder was marked as ours; None: it is not.
        self._marked_ns: int | None = None
        if read_only:
            return
        with _translated():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._uploads.mkdir(mode=0o700, exist_ok=True)
            for folder in (root, root.parent):
                _sync_folder(folder)

    @property
    def properties(self) -> Mapping[str, str]:
        """The folder."""
        return {"data_dir": str(self._root)}

    def url(self, key: str) -> str:
        """Return the file's URL."""
        return self._path(key).as_uri()

    def writer(self, key: str, upload_id: str) -> FolderWriter:
        """Begin an upload in a file of its own."""
        return FolderWriter(self._uploads / checked_key(upload_id), self._path(key))

    def reader(self, key: str) -> FolderReader:
        """Open the file of *key*; it stays readable after `delete`."""
        with _translated():
            try:
                descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError as exc:
                raise DataMissing(f"no bytes for image {key}") from exc
            return FolderReader(descriptor)

    def delete(self, key: str) -> None:
        """Remove the file of *key*, durably."""
        with _translated():
            try:
                os.unlink(self._path(key))
            except FileNotFoundError:
                return
            _sync_folder(self._root)

    def claim(self, database: str, region: str) -> None:
        """Write the marker file, or check the one that is there."""
        if self.read_only:
            return
        with _translated():
            self._marked_ns = claim_folder(self._root, Marker(database, region, self.name))
            _sync_folder(self._root)

    def sweep(self, judge: Judge, uploads: Set[str] = frozenset()) -> Swept:
        """Remove our own unfinished uploads and the files that are dead; count what is unknown."""
        swept = Swept()
        if self.read_only:
            return swept
        with _translated():
            for name in list(_names(self._uploads)):
                path = self._uploads / name
                self._settle(swept, path, dead=name in uploads or self._is_own_upload(path), known=False)
            for batch in _batches(_names(self._root)):
                dead, known = judge(batch)
                for key in batch:
                    self._settle(swept, self._root / key, dead=key in dead, known=key in known)
            if swept.removed:
                _sync_folder(self._root)
        return swept

    def _is_own_upload(self, path: Path) -> bool:
        """Return True for a file that was written after the folder had become ours."""
        return self._marked_ns is not None and path.lstat().st_mtime_ns >= self._marked_ns

    def _settle(self, swept: Swept, path: Path, *, dead: bool, known: bool) -> None:
        if dead:
            path.unlink()
            swept.removed += 1
        elif not known:
            swept.unknown += 1
            swept.unknown_bytes += path.lstat().st_size
            if len(swept.examples) < _EXAMPLES:
                swept.examples.append(str(path.relative_to(self._root)))

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


class FolderWriter(Writer):
    """One upload file, which `commit` gives its final name."""

    def __init__(self, temporary: Path, final: Path) -> None:
        self._temporary = temporary
        self._final = final
        self._pending = True
        self._unsynced = 0
        self._sync_after = _FIRST_SYNC
        self._syncing: _Syncing | None = None
        with _translated():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor: int | None = os.open(temporary, flags, 0o600)

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append *block*, whole."""
        assert self._descriptor is not None
        with _translated():
            rest = memoryview(block)
            self._unsynced += len(rest)
            while rest:
                rest = rest[os.write(self._descriptor, rest[:_PIECE]) :]
            if self._unsynced >= self._sync_after and (self._syncing is None or not self._syncing.is_alive()):
                self._end_syncing()
                self._unsynced = 0
                self._sync_after = min(2 * self._sync_after, _LAST_SYNC)
                self._syncing = _Syncing(self._descriptor)
                self._syncing.start()

    def flush(self) -> None:
        """Bring the bytes to the disk and close the file."""
        if self._descriptor is None:
            return
        with _translated():
            self._end_syncing()
            os.fsync(self._descriptor)
            self._close()

    def commit(self) -> None:
        """Give the file its final name, durably."""
        self.flush()
        with _translated():
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
        """Wait for the sync that is on its way. The system names an error of the disk once, so it is raised here."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.join()
            if syncing.error is not None:
                raise syncing.error

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class _Syncing(threading.Thread):
    """Brings what has been written to the disk while more is written, so that the last sync is short."""

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

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._open = True
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*."""
        with _translated():
            return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        """Close the file."""
        if self._open:
            self._open = False
            os.close(self._descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the store's errors in place of the operating system's."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise StoreFull(f"no room in the store: {exc.strerror}") from exc
        raise StoreUnavailable(f"the store failed: {exc.strerror}") from exc


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> Iterator[str]:
    """Give the names of the files in *folder* that are keys; whatever else is there is not ours to touch."""
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
