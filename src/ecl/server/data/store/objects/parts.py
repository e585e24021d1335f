"""How an upload is cut into parts: as few bytes in memory as the limits of object storage allow."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_PARTS", "Parts", "parts_for"]

#: S3 takes no more parts of one upload.
MAX_PARTS = 10_000
_MIB = 1 << 20
#: Sizes of a part, and how many of them are on their way at once. One more is being filled, so up to the size that fits
#: the second one an upload holds at most 48 MiB here.
_PLANS = ((8 * _MIB, 4), (16 * _MIB, 2))


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one upload."""

    #: Bytes of each but the last.
    size: int
    #: Most on their way at once.
    at_once: int

    @property
    def most_bytes(self) -> int:
        """The largest object of such parts."""
        return self.size * MAX_PARTS


def parts_for(size: int | None) -> Parts:
    """Return the parts of an object of *size* bytes; None: its size is not known."""
    for part, at_once in _PLANS:
        if size is not None and size <= part * MAX_PARTS:
            return Parts(part, at_once)
    if size is None:
        return Parts(*_PLANS[-1])
    # Above 156 GiB the parts have to be larger than the memory of an upload should be: one at a time.
    return Parts((size // MAX_PARTS // _MIB + 1) * _MIB, 1)
