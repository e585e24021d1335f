"""Compressed sources, decoded while they are sent: gzip, bzip2, xz, zstd, recognized by their first bytes."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ecl import exceptions
from ecl.image._transfer.digest import BLOCK
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.source import Source

__all__ = ["expanded", "expanded_if"]

#: Maximum memory of the xz decoder, in bytes; "xz -9" needs 65 MiB.
_XZ_MEMORY = 128 << 20


class _Decoder(Protocol):
    """What the standard library's decompressors have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most *max_length* bytes; what is left over comes with the next call."""


class _Gzip:
    """zlib's decoder in the shape of the others."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)


def _zstd_module() -> Any:
    # In the standard library from Python 3.14 on; before that the same module comes with the extra [zstd].
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
    except ModuleNotFoundError:
        try:
            from backports import zstd
        except ModuleNotFoundError as exc:
            raise exceptions.InvalidRequest(
                "The source is compressed with zstd, and nothing here can decode that: pip install 'ecl-image[zstd]'"
            ) from exc
    return zstd


def _zstd() -> Any:
    return _zstd_module().ZstdDecompressor()


def _xz() -> Any:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


_FORMATS: tuple[tuple[bytes, str, Callable[[], Any]], ...] = (
    (b"\x1f\x8b\x08", "gzip", _Gzip),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", _xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
)

_LONGEST = max(len(magic) for magic, _, _ in _FORMATS)


def _corrupt(kind: str) -> tuple[type[Exception], ...]:
    """Return what a decoder raises on bytes that are not of its format. bz2 says OSError."""
    own = (_zstd_module().ZstdError,) if kind == "zstd" else ()
    return (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, *own)


def expanded_if(options: UploadOptions, source: Source) -> Source:
    """Return *source*, or a source of what it decodes to if *options* ask for that."""
    return expanded(source, options.max_expanded) if options.decompress else source


def expanded(source: Source, limit: int) -> Source:
    """
    Return a source of what *source* decodes to; if it is not compressed, of its own bytes.

    Args:
        limit: Maximum number of decoded bytes.
    """

    def blocks() -> Iterator[bytes]:
        return _expand(source, limit)

    decoded = Source(blocks if source.rewindable else blocks())
    decoded.name = source.name
    return decoded


def _expand(source: Source, limit: int) -> Iterator[bytes]:
    blocks = source.blocks()
    first = b""
    # A pipe may give a few bytes at a time.
    while len(first) < _LONGEST and (block := next(blocks, b"")):
        first += block
    kind, make = next(((name, make) for magic, name, make in _FORMATS if first.startswith(magic)), ("", None))
    done = 0
    for block in _plain(first, blocks) if make is None else _decoded(source.name, kind, make, first, blocks):
        done += len(block)
        if make is not None and done > limit:
            raise exceptions.InvalidRequest(
                f"{source.name} expands to more than {limit} bytes; if that is right, allow more with max_expanded"
            )
        yield block


def _plain(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from blocks


def _decoded(
    name: str, kind: str, make: Callable[[], _Decoder], data: bytes, blocks: Iterator[bytes]
) -> Iterator[bytes]:
    """Yield what *kind* decodes to, in blocks of at most BLOCK, however large one compressed byte becomes."""
    decoder = make()
    while True:
        try:
            block = decoder.decompress(data, BLOCK)
        except exceptions.SDKException:
            raise
        except _corrupt(kind) as exc:
            raise exceptions.FileFailure(f"{name} is damaged: not valid {kind} ({exc})", cause=exc) from exc
        data = b""
        if block:
            yield block
        if decoder.eof:
            # Several streams, one behind the other, are one file.
            data = decoder.unused_data or next(blocks, b"")
            # gzip and xz may be padded with zeros.
            while data and not data.strip(b"\0"):
                data = next(blocks, b"")
            if not data:
                return
            decoder = make()
        elif decoder.needs_input:
            data = next(blocks, b"")
            if not data:
                raise exceptions.FileFailure(f"{name} is cut off: its {kind} data ends too early")
