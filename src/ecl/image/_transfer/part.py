"""The file that a download is written to until it is complete: ``NAME.part``, and a record of what is in it."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ecl import exceptions
from ecl.image._transfer import descriptor as files
from ecl.image._transfer import spans
from ecl.image._transfer.digest import Block
from ecl.image._transfer.ports import Described
from ecl.image._transfer.spans import Span

__all__ = ["PartFile"]

#: Bytes between two records, which are fetched again after a crash: at most this many, ...
RECORD_EVERY = 16 << 20
#: ... for a smaller image its size divided by this, ...
_RECORD_SHARE = 32
#: ... and never fewer than this.
_RECORD_LEAST = 1 << 20
#: Bytes that are written in one call. The kernel takes pieces of memory for a file that are as large as what it is
#: given. Of small ones it has some at hand; large ones a virtual machine has to get from its host, page by page:
#: writing 1 MiB at a time took up to five times the processor time.
_WRITE = 256 << 10
#: Runs of zeros of this many bytes become holes.
_HOLE = 64 << 10
_ZEROS = bytes(_HOLE)
#: A record takes a multiple of this.
_PAGE = 4096


class PartFile:
    """
    A file beside *path*, which gets that name when it is complete.

    A file that has the name already keeps its mode. What an earlier download of the same image left is used again:
    the record beside it, ``NAME.part.json``, names the image's ID, size and hash, and the bytes that are there. Bytes
    may be written in any order, from any thread; zeros become holes.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the file, and lock it.

        Raises:
            InvalidRequest: It cannot be written, or another download writes it.
        """
        self.path = path
        self._name = path.with_name(path.name + ".part")
        self._record_name = path.with_name(path.name + ".part.json")
        # A file that was there before, and is never used (there is no such image, for example), is left alone.
        self._ours = not self._name.exists()
        try:
            mode = _mode_of(path)
            # Nobody who may not read the file is to read it on the way.
            self._descriptor = _open_locked(self._name, 0o666 if mode is None else mode | 0o600)
        except BlockingIOError as exc:
            raise exceptions.InvalidRequest(f"{self._name} is being written by another download") from exc
        except OSError as exc:
            raise exceptions.InvalidRequest(f"{self._name} cannot be written: {exc.strerror}") from exc
        # Ctrl-C may come at any instruction. "with" acquires a plain lock in one step; a condition needs two, and an
        # interrupt in between would leave it locked.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._binding: dict[str, Any] | None = None
        self._done: list[Span] = []
        self._unrecorded = 0
        self._halted = False
        self._closed = False
        self.size = 0
        #: True if bytes of an earlier download are used.
        self.resumed = False

    def bind(self, image: Described) -> None:
        """
        Set the image that is downloaded; bytes of another image, or of other data, are dropped.

        Raises:
            FileFailure: The file cannot be written.
        """
        self.size = image.size or 0
        self._ours = True
        has_hash = bool(image.os_hash_value or image.checksum)
        self._binding = {
            "image": image.id,
            "size": self.size,
            "hash": [image.os_hash_algo, image.os_hash_value or image.checksum],
        }
        self._done = self._recorded() if has_hash else []
        self.resumed = bool(self._done)
        if not has_hash:
            # A later download could not know whether it is still the same data.
            self._binding = None
        if not self.resumed:
            self.start_over()

    def start_over(self) -> None:
        """Drop all that is there."""
        with self._lock:
            self._done = []
            try:
                # Only if there is something: ext4 flushes a file that was truncated when it is closed, and close()
                # waits for that.
                if os.fstat(self._descriptor).st_size:
                    os.ftruncate(self._descriptor, 0)
                os.ftruncate(self._descriptor, self.size)
            except OSError as exc:
                raise self._failure(exc) from exc
            if self._binding is None:
                self._remove_record()
            else:
                # Now there is room for it.
                self._record()

    def missing(self) -> list[Span]:
        """Return what has not been written yet."""
        with self._lock:
            return spans.missing(self.size, self._done)

    @property
    def done(self) -> int:
        """Bytes that have been written."""
        with self._lock:
            return sum(end - start for start, end in self._done)

    def write(self, offset: int, block: Block) -> None:
        """
        Put *block* at *offset*.

        Raises:
            FileFailure: Writing failed; the disk may be full. What was written before is kept.
        """
        with self._lock:
            if self._halted:
                raise exceptions.FileFailure(f"{self._name} is closed")
            try:
                for start, end in _filled(block):
                    self._write_all(offset + start, memoryview(block)[start:end])
            except OSError as exc:
                raise self._failure(exc) from exc
            self._done = spans.merged([*self._done, (offset, offset + len(block))])
            self._unrecorded += len(block)
            self._changed.notify_all()
            if self._unrecorded >= min(RECORD_EVERY, max(_RECORD_LEAST, self.size // _RECORD_SHARE)):
                self._record()

    def read(self, offset: int, length: int) -> bytes:
        """Return *length* bytes from *offset* on, or fewer where the file ends."""
        return files.read_at(self._descriptor, length, offset)

    def wait_beyond(self, offset: int) -> int:
        """Wait for bytes from *offset* on; return the offset after them, or *offset* if no more will come."""
        with self._lock:
            while (reached := spans.covered(self._done)) <= offset < self.size and not self._halted:
                self._changed.wait()
            return offset if self._halted else max(reached, offset)

    def finish(self) -> None:
        """
        Give the file its name.

        Raises:
            FileFailure: That failed, or the file no longer has the size of the image.
        """
        self.halt()
        if not self._has_its_size():
            raise exceptions.FileFailure(f"{self._name} was changed by somebody else; download it again")
        mode = _mode_of(self.path)
        if mode is not None:
            with suppress(OSError):
                files.set_mode(self._descriptor, mode)
        try:
            if not files.USED_BY_NAME:
                self._close()
            self._name.replace(self.path)
        except OSError as exc:
            raise self._failure(exc) from exc
        self._remove_record()
        self._close()

    def keep(self) -> bool:
        """Keep the bytes for a later download, if it can use them; return True if there are any."""
        with self._lock:
            usable = self._binding is not None and bool(self._done) and self._has_its_size()
            if usable:
                self._record()
        if self._ours and not usable:
            self._remove()
        self._close()
        return usable

    def discard(self) -> None:
        """Remove the file."""
        self._remove()
        self._close()

    def halt(self) -> None:
        """Accept no more bytes, and wake every thread that waits for some."""
        with self._lock:
            self._halted = True
            self._changed.notify_all()

    def _close(self) -> None:
        """Release the lock. The file must be in its final state before."""
        self.halt()
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._descriptor)

    def _remove(self) -> None:
        if not files.USED_BY_NAME:
            self._close()
        with suppress(OSError):
            self._name.unlink()
        self._remove_record()

    def _remove_record(self) -> None:
        with suppress(OSError):
            self._record_name.unlink()

    def _write_all(self, offset: int, view: memoryview) -> None:
        while view:
            written = files.write_at(self._descriptor, view[:_WRITE], offset)
            offset += written
            view = view[written:]

    def _recorded(self) -> list[Span]:
        """Return what an earlier download of the same data has written."""
        try:
            record = json.loads(self._record_name.read_text())
            recorded = [(int(start), int(end)) for start, end in record.pop("done")]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return []
        if record != self._binding or not self._has_its_size():
            return []
        return [(start, end) for start, end in spans.merged(recorded) if start >= 0 and end <= self.size]

    def _has_its_size(self) -> bool:
        return os.fstat(self._descriptor).st_size == self.size

    def _record(self) -> None:
        """Record which bytes are there. If that fails, the download continues; only a resume is lost."""
        if self._binding is None:
            return
        self._unrecorded = 0
        text = json.dumps({**self._binding, "done": self._done}).encode()
        with suppress(OSError):
            descriptor = os.open(self._record_name, os.O_WRONLY | os.O_CREAT | files.SAFELY, 0o666)
            try:
                # Over the old one: that needs no space, which a full disk would not have.
                files.write_at(descriptor, text.ljust(max(os.fstat(descriptor).st_size, _spare(len(text)))), 0)
            finally:
                os.close(descriptor)

    def _failure(self, exc: OSError) -> exceptions.FileFailure:
        return exceptions.FileFailure(
            f"{self._name} cannot be written: {exc.strerror or exc}; make room, or choose another place", cause=exc
        )


def _mode_of(path: Path) -> int | None:
    """Return the mode of an existing file."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None


def _open_locked(name: Path, mode: int) -> int:
    """Open and lock a file; return its descriptor. Raises BlockingIOError if it is locked by another download."""
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | files.SAFELY, mode)
        try:
            files.lock(descriptor)
            # The download that had the lock before may have renamed the file, or removed it.
            if os.path.samestat(os.fstat(descriptor), os.lstat(name)):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _spare(length: int) -> int:
    """Return the size of a record of *length* bytes, with room for it to grow."""
    return -(-length // _PAGE) * _PAGE


def _filled(block: Block) -> list[Span]:
    """Return the parts of *block* that are not zeros, by pieces of _HOLE bytes."""
    filled = [
        (at, min(at + _HOLE, len(block)))
        for at in range(0, len(block), _HOLE)
        if block[at] or not _is_zero(block[at : at + _HOLE])
    ]
    return spans.merged(filled)


def _is_zero(piece: Block) -> bool:
    # Views are compared item by item; bytes at once.
    return bytes(piece) == (_ZEROS if len(piece) == _HOLE else bytes(len(piece)))
