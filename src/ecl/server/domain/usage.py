"""What a project uses of a region, and how much of it the settings allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecl.server.errors import TooLarge
from ecl.server.settings.model import ImageLimits

__all__ = ["MIB", "Usage", "check_share", "has_shares", "room_for", "usage_to_wire"]

#: Bytes in the unit of the limits on sizes.
MIB = 1 << 20
_NAMES = ("image_size_total", "image_stage_total", "image_count_total", "image_count_uploading")


@dataclass(frozen=True, slots=True)
class Usage:
    """One project's images in one region. Sizes are in bytes."""

    image_size_total: int
    image_stage_total: int
    image_count_total: int
    image_count_uploading: int


def has_shares(limits: ImageLimits) -> bool:
    """Return True if what a project may have is limited in any way."""
    return any(getattr(limits, name) >= 0 for name in _NAMES)


def check_share(limits: ImageLimits, usage: Usage, name: str, more: int) -> None:
    """
    Raise TooLarge if *more* of what *name* counts goes beyond the project's share.

    Args:
        name: A field of `Usage`.
        more: Images, or bytes.
    """
    limit = getattr(limits, name)
    if limit < 0:
        return
    unit = MIB if name in ("image_size_total", "image_stage_total") else 1
    used = getattr(usage, name)
    if used + more > limit * unit:
        what = "MiB" if unit == MIB else "images"
        raise TooLarge(f"The project's limit {name} is {limit} {what}, and {used / unit:.4g} of them are in use.")


def room_for(limits: ImageLimits, usage: Usage, name: str) -> int:
    """Return how many more bytes of one image fit: into the project's share *name*, and into one image at all."""
    limit: int = getattr(limits, name)
    if limit < 0:
        return limits.image_size_cap
    used: int = getattr(usage, name)
    return min(limits.image_size_cap, max(0, limit * MIB - used))


def usage_to_wire(limits: ImageLimits, usage: Usage) -> dict[str, Any]:
    """Return *usage* as the API shows it: nothing where nothing is limited, sizes in MiB, rounded up."""
    if not has_shares(limits):
        return {}
    shown = {}
    for name in _NAMES:
        used = getattr(usage, name)
        shown[name] = {"usage": -(-used // MIB) if "count" not in name else used, "limit": getattr(limits, name)}
    return shown
