"""Does the content of an upload match its declared format, and is it safe to hand to a hypervisor?"""

from __future__ import annotations

from typing import IO, Any, cast

from ecl.server.errors import UnsupportedMedia

__all__ = ["Inspection"]

#: Two formats may both be right only in this pair: a bootable ISO can carry a GPT.
_ISO_WITH_GPT = {"iso", "gpt"}
#: Bytes that are looked at first. Whoever finds no signature in them leaves before the rest comes, of which the
#: inspector for vmdk would otherwise keep a MiB.
_SIGNATURES = 512


class Inspection:
    """
    The inspection of one upload, fed block by block. Holds the headers only.

    Args:
        disk_format: What the image says it is.
    """

    def __init__(self, disk_format: str) -> None:
        self._declared = disk_format
        self._source = _Feed()
        self._size = 0
        self._wrapper: Any = None  # Any: oslo.utils' InspectWrapper, imported late

    def feed(self, block: bytes | memoryview) -> None:
        """Look at the next *block*."""
        if self._wrapper is None:
            from oslo_utils.imageutils.format_inspector import InspectWrapper

            self._wrapper = InspectWrapper(cast(IO[bytes], self._source))
            self._read(block[:_SIGNATURES])
            block = block[_SIGNATURES:]
        self._read(block)

    def conclude(self) -> int | None:
        """
        Return the virtual size in bytes, or None where it cannot be known.

        Raises:
            UnsupportedMedia: The content is of another format, of several, or fails a safety check.
        """
        if self._size == 0:
            self.feed(b"")
        from oslo_utils.imageutils.format_inspector import ALL_FORMATS, ImageFormatError, SafetyCheckFailed

        self._wrapper.close()
        try:
            inspector = self._detected()
            found = str(inspector)
            inspectable = self._declared in ALL_FORMATS
            if found != self._declared and self._declared != "raw" and (inspectable or found != "raw"):
                raise UnsupportedMedia(
                    f"The image says that its disk_format is {self._declared}, but its content is {found}."
                )
            inspector.safety_check()
        except SafetyCheckFailed as exc:
            names = ", ".join(sorted(exc.failures))
            raise UnsupportedMedia(
                f"The content is not safe to use: the checks failed that are called {names}."
            ) from exc
        except ImageFormatError as exc:
            raise UnsupportedMedia(f"The content could not be checked: {exc}") from exc
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


class _Feed:
    """What the inspector reads from: the block that is at hand."""

    block: bytes | memoryview = b""

    def read(self, _size: int) -> bytes | memoryview:
        return self.block


def _virtual_size(inspector: Any) -> int | None:
    try:
        size: int = inspector.virtual_size
    except Exception:  # noqa: BLE001 - a header that matches may still be cut short; then the size is unknown
        return None
    return size or None
