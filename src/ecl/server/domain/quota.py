"""Quotas: what a project uses of a region, and how much the settings allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecl.server.errors import TooLarge
from ecl.server.settings.model import ImageLimits

__all__ = ["MIB", "Usage", "check_usage", "has_quotas", "remaining_bytes", "usage_to_wire"]

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


def has_quotas(limits: ImageLimits) -> bool:
    """Return True if the settings set any quota for a project."""
    return any(getattr(limits, name) >= 0 for name in _NAMES)


def check_usage(limits: ImageLimits, usage: Usage, name: str, more: int) -> None:
    """
    Raise TooLarge if *more* exceeds the project's quota *name*.

    Args:
        name: A field of `Usage`.
        more: Images or bytes to add to *usage*.
    """
    limit = getattr(limits, name)
    if limit < 0:
        return
    unit = MIB if name in ("image_size_total", "image_stage_total") else 1
    used = getattr(usage, name)
    if used + more > limit * unit:
        what = "MiB" if unit == MIB else "images"
        raise TooLarge(f"The project's limit {name} is {limit} {what}, and {used / unit:.4g} of them are in use.")


def remaining_bytes(limits: ImageLimits, usage: Usage, name: str) -> int:
    """Return how many bytes one more image may have: the project's quota *name* and the size limit decide."""
    limit: int = getattr(limits, name)
    if limit < 0:
        return limits.image_size_cap
    used: int = getattr(usage, name)
    return min(limits.image_size_cap, max(0, limit * MIB - used))


def usage_to_wire(limits: ImageLimits, usage: Usage) -> dict[str, Any]:
    """Return *usage* as the API shows it: empty without quotas, sizes in MiB, rounded up."""
    if not has_quotas(limits):
        return {}
    shown = {}
    for name in _NAMES:
        used = getattr(usage, name)
        shown[name] = {"usage": -(-used // MIB) if "count" not in name else used, "limit": getattr(limits, name)}
    return shown
