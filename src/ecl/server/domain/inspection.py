"""The inspection of image data: it must match the declared format and be safe to give to a hypervisor."""

from __future__ import annotations

from typing import IO, Any, cast

from ecl._disk_header import impossible_header
from ecl.server.domain.text import printable
from ecl.server.errors import UnsupportedMedia

__all__ = ["Inspection"]

#: The one pair of formats that may match together: a bootable ISO can contain a GPT.
_ISO_WITH_GPT = {"iso", "gpt"}
#: Bytes that are inspected first. Inspectors that find no signature there stop before the rest comes: the one for vmdk
#: would keep a MiB of it.
_SIGNATURE_BYTES = 512


class _Mismatch(UnsupportedMedia):
    """The data does not have the declared format, or cannot be inspected."""


class Inspection:
    """
    Inspects one image, block by block. It keeps only the headers in memory.

    Args:
        disk_format: The declared format.
        must_match: False accepts data of another format, and data that cannot be inspected, but still refuses what is
            not safe; of such data the virtual size is unknown.
    """

    def __init__(self, disk_format: str, *, must_match: bool = True) -> None:
        self._declared = disk_format
        self._must_match = must_match
        self._source = _BlockReader()
        self._size = 0
        self._wrapper: Any = None  # Any: oslo.utils' InspectWrapper, imported late

    def feed(self, block: bytes | memoryview) -> None:
        """Inspect the next *block*."""
        if self._wrapper is None:
            from oslo_utils.imageutils.format_inspector import InspectWrapper

            self._wrapper = InspectWrapper(cast(IO[bytes], self._source))
            self._read(block[:_SIGNATURE_BYTES])
            block = block[_SIGNATURE_BYTES:]
        self._read(block)

    def conclude(self) -> int | None:
        """
        Return the virtual size in bytes, or None if the data does not tell.

        Raises:
            UnsupportedMedia: The content is of another format, of several, fails a safety check, or has a header that
                no program can use.
        """
        try:
            return self._concluded()
        except _Mismatch:
            if self._must_match:
                raise
            return None

    def _concluded(self) -> int | None:
        if self._size == 0:
            self.feed(b"")
        from oslo_utils.imageutils.format_inspector import ALL_FORMATS, ImageFormatError, SafetyCheckFailed

        self._wrapper.close()
        try:
            inspector = self._detected()
            found = str(inspector)
            inspectable = self._declared in ALL_FORMATS
            if found != self._declared and self._declared != "raw" and (inspectable or found != "raw"):
                # Unsafe data is refused for that, also where the format need not match.
                inspector.safety_check()
                raise _Mismatch(f"The disk_format of the image is {self._declared}, but its content is {found}.")
            inspector.safety_check()
            fault = impossible_header(inspector) if found != "raw" else None
            if fault is not None:
                raise _Mismatch(f"The content is {found}, but {fault}.")
        except SafetyCheckFailed as exc:
            names = ", ".join(sorted(exc.failures))
            raise UnsupportedMedia(f"The content is not safe to use; these checks failed: {names}.") from exc
        except ImageFormatError as exc:
            raise _Mismatch(f"The content could not be checked: {printable(exc)}") from exc
        if self._declared == "raw":
            return self._size or None
        return _virtual_size(inspector) if found == self._declared else None

    def _read(self, block: bytes | memoryview) -> None:
        self._source.block = block
        self._wrapper.read(len(block))
        self._source.block = b""
        self._size += len(block)

    def _detected(self) -> Any:
        matches = {str(match): match for match in self._wrapper.formats}
        if self._declared == "iso" and matches.keys() == _ISO_WITH_GPT:
            return matches["iso"]
        return self._wrapper.format


class _BlockReader:
    """A file for the inspector to read: it holds the current block."""

    block: bytes | memoryview = b""

    def read(self, _size: int) -> bytes | memoryview:
        return self.block


def _virtual_size(inspector: Any) -> int | None:
    try:
        size: int = inspector.virtual_size
    except Exception:  # noqa: BLE001 - a matching header may be truncated; then the size is unknown
        return None
    # A broken header may give a size below 0.
    return size if size > 0 else None
