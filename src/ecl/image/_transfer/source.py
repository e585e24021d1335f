"""Where the bytes of an upload come from."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ecl import exceptions
from ecl.image import disk_format
from ecl.image._transfer.digest import BLOCK

__all__ = ["ImageData", "Source", "is_text"]

#: What an image can be read from. Text is a path; bytes are the data itself; a callable returns the blocks again each
#: time it is called.
ImageData = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | IO[bytes]
    | Iterable[bytes]
    | Callable[[], Iterable[bytes]]
)


#: Bytes below which the blocks of an iterable are joined.
_MIN_BLOCK_BYTES = 64 << 10


class Source:
    """The bytes of an upload, in blocks, from the start as often as the source allows."""

    def __init__(self, data: ImageData, size: int | None = None) -> None:
        """
        Open *data*.

        Args:
            size: Bytes in all, if *data* cannot say; other numbers of bytes are then an error.

        Raises:
            InvalidRequest: It is neither the path of a readable file, bytes, a binary file, an iterable of bytes, nor a
                callable that returns one.
        """
        self.name = "the data"
        #: Bytes in all; None if that is known only at the end.
        self.size: int | None = size
        #: True if the source can be read again from its start.
        self.rewindable = True
        self._opened = False
        self._started = False
        self._head = b""
        self._inspection: disk_format.Inspection | None = None
        self._expected: Mapping[str, str] = {}
        self._allow_empty = True
        self._is_declared = size is not None
        self._again: Callable[[], Iterable[bytes]] | None = None
        self._file, self._blocks = self._open(data)
        self._start = self._measure()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened and self._file is not None:
            self._file.close()
        self._end_blocks()

    def _end_blocks(self) -> None:
        """End the iterable that was created for this source: it may have threads, or a connection."""
        if self._again is not None and isinstance(self._blocks, Generator):
            self._blocks.close()

    def _open(self, data: Any) -> tuple[IO[bytes] | None, Iterator[bytes] | None]:
        if isinstance(data, (bytes, bytearray, memoryview)):
            return io.BytesIO(data), None
        if isinstance(data, (str, os.PathLike)):
            self.name = os.fspath(data)
            self._opened = True
            return _open_path(Path(data)), None
        if hasattr(data, "read"):
            self.name = str(getattr(data, "name", "the file"))
            return data, None
        if callable(data):
            self._again = data
            return None, None
        if isinstance(data, Iterable):
            self.rewindable = False
            return None, iter(data)
        raise exceptions.InvalidRequest(
            "image data must be a path, bytes, a file opened for reading in binary mode, or an iterable of bytes,"
            f" not {type(data).__name__}"
        )

    def _measure(self) -> int:
        """Find out the size and whether the source can be rewound; return where it starts."""
        if self._file is None:
            return 0
        if is_text(self._file):
            raise exceptions.InvalidRequest(f"{self.name} is opened as text; open it with mode 'rb'")
        if getattr(self._file, "closed", False):
            raise exceptions.InvalidRequest(f"{self.name} is closed")
        try:
            start = self._file.tell()
            self.size = self._file.seek(0, os.SEEK_END) - start
            self._file.seek(start)
        except (OSError, AttributeError, ValueError):
            self.rewindable = False
            return 0
        return start

    def blocks(self) -> Iterator[bytes]:
        """
        Yield the data from its start in blocks of at most BLOCK bytes, none of them empty.

        Raises:
            FileFailure: Reading failed, or the number of bytes is not the promised one.
            InvalidRequest: It yields something other than bytes, or cannot be read a second time.
        """
        try:
            yield from self._read_blocks()
        except exceptions.FileFailure:
            raise
        except OSError as exc:
            raise exceptions.FileFailure(f"{self.name} cannot be read: {exc.strerror or exc}", cause=exc) from exc

    def _read_blocks(self) -> Iterator[bytes]:
        if self._again is not None:
            self._end_blocks()
            self._head, self._blocks = b"", iter(self._again())
        elif self.rewindable and self._file is not None:
            self._file.seek(self._start)
        elif self._started:
            raise exceptions.InvalidRequest(f"{self.name} can be read only once")
        self._started = True
        done = 0
        digests = {name: hashlib.new(name, usedforsecurity=False) for name in self._expected}
        held = b""
        while block := self._next():
            done += len(block)
            for digest in digests.values():
                digest.update(block)
            # Checked before the last block is sent: with that a service would take the image for complete.
            if self.size is not None and done >= self.size:
                done += len(self._next())
                self._check_size(done)
            if digests:
                # The last block leaves only when all of them are the right ones.
                held, block = block, held
            if block:
                yield block
        self._check_size(done)
        self._check_not_empty(done)
        self._check_digests({name: digest.hexdigest() for name, digest in digests.items()})
        if held:
            yield held

    def _check_size(self, done: int) -> None:
        if self.size is not None and done != self.size:
            if self._is_declared:
                raise exceptions.FileFailure(f"{self.name} has {_at_least(done, self.size)} bytes, not {self.size}")
            raise exceptions.FileFailure(f"{self.name} changed while it was read: {done} bytes, not {self.size}")

    def _check_not_empty(self, done: int) -> None:
        if not done and not self._allow_empty:
            raise exceptions.InvalidRequest(f"{self.name} is empty; give allow_empty=True if that is right")

    def _check_digests(self, found: Mapping[str, str]) -> None:
        for name, digest in found.items():
            if digest != self._expected[name]:
                raise exceptions.FileFailure(f"{self.name} has {name} {digest}, not {self._expected[name]}")

    def expect(
        self, size: int | None = None, hashes: Mapping[str, str] | None = None, allow_empty: bool = True
    ) -> None:
        """
        Let :meth:`blocks` fail before the last block unless the data has this size and these hashes.

        Args:
            size: Bytes; the size of a source that does not know it.
            hashes: Algorithm to hexadecimal hash, in lower case.
            allow_empty: False: there must be a byte.

        Raises:
            FileFailure: It has another size.
            InvalidRequest: It is known to be empty.
        """
        self._expected = hashes or {}
        self._allow_empty = allow_empty
        if size is not None:
            self._is_declared = True
            if self.size is not None and self.size != size:
                raise exceptions.FileFailure(f"{self.name} has {self.size} bytes, not {size}")
            self.size = size
        if self.size == 0 or (self._inspection is not None and self._inspection.is_empty):
            self._check_not_empty(0)

    def _next(self) -> bytes:
        """Return the next block; no bytes at the end."""
        head, self._head = self._head, b""
        return head or self._read()

    def _read(self) -> bytes:
        if self._blocks is None:
            return self._checked(self._file.read(BLOCK)) if self._file is not None else b""
        # An iterable may yield tiny blocks, and every block costs time in every thread that handles it.
        joined = bytearray()
        for block in self._blocks:
            piece = self._checked(block)
            if not joined and len(piece) >= _MIN_BLOCK_BYTES:
                return piece
            joined += piece
            if len(joined) >= _MIN_BLOCK_BYTES:
                break
        return bytes(joined)

    def _checked(self, block: Any) -> bytes:
        if isinstance(block, (bytes, bytearray, memoryview)):
            return bytes(block)
        raise exceptions.InvalidRequest(f"{self.name} yields {type(block).__name__}, not bytes")

    def inspect(self) -> disk_format.Inspection:
        """
        Inspect the format of the data, once, before the first block is read. No byte is lost.

        Raises:
            FileFailure: The source cannot be read.
        """
        if self._inspection is None:
            self._inspection = self._inspect()
        return self._inspection

    def _inspect(self) -> disk_format.Inspection:
        try:
            if self.rewindable and self._file is not None:
                self._file.seek(self._start)
                return disk_format.inspect(self._file.read)
            if self._again is not None:
                self._blocks = iter(self._again())
            head = bytearray(self._head)
            while len(head) < disk_format.PEEK and (block := self._read()):
                head += block
            self._head = bytes(head)
            return disk_format.inspect(io.BytesIO(self._head).read)
        except exceptions.FileFailure:
            raise
        except OSError as exc:
            raise exceptions.FileFailure(f"{self.name} cannot be read: {exc.strerror or exc}", cause=exc) from exc


def _at_least(done: int, size: int) -> str:
    """Return how many bytes there are: beyond the size that is expected, nobody counts them."""
    return f"more than {size}" if done > size else str(done)


def is_text(file: object) -> bool:
    """Tell whether a file is opened as text."""
    return isinstance(file, io.TextIOBase)


def _open_path(path: Path) -> IO[bytes]:
    try:
        path = path.expanduser()
        is_device = path.is_char_device() and os.fspath(path) != os.devnull
        if not is_device and not path.is_dir():
            return path.open("rb", buffering=0)
    except (OSError, ValueError, RuntimeError) as exc:
        raise exceptions.InvalidRequest(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    if is_device:
        raise exceptions.InvalidRequest(f"{path} is a device of unknown size; write what you want of it to a file")
    raise exceptions.InvalidRequest(f"{path} is a folder; name an image file")
