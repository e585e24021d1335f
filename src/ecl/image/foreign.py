"""What a file is that is no disk: compressed, an archive, a web page; recognized by its first bytes."""

from __future__ import annotations

import re

__all__ = ["NEEDED", "foreign", "is_text"]

#: How many of the first bytes tell.
NEEDED = 4096

_COMPRESSED = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_PACKED = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"LZIP\x01", "compressed with lzip"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4"),
    (257, b"ustar", "a tar archive"),
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml)", re.IGNORECASE)
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]+")


def foreign(head: bytes) -> str | None:
    """
    Return what a file is instead of a disk, and what to do about it; None if it may be a disk.

    Args:
        head: Its first :data:`NEEDED` bytes; fewer only if it is shorter.
    """
    for magic, name in _COMPRESSED:
        if head.startswith(magic):
            return f"is compressed with {name}: give decompress=True"
    for offset, magic, name in _PACKED:
        if head.startswith(magic, offset):
            return f"is {name}, not a disk: unpack it"
    if _MARKUP.match(head):
        return "is a web page or XML, not a disk: look at where it came from"
    return None


def is_text(head: bytes) -> bool:
    """Return True if data with these first bytes is text; without a byte it is not."""
    try:
        # The last character may be cut off.
        text = head[: -3 if len(head) >= NEEDED else None].decode()
    except UnicodeDecodeError as exc:
        if len(head) < NEEDED or exc.start < NEEDED - 8:
            return False
        text = head[: exc.start].decode()
    return _TEXT.fullmatch(text) is not None
