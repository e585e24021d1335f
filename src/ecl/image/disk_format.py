"""What is in this file? The inspector that Glance, Nova and Cinder share answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Inspection", "inspect"]

#: Bytes that are looked at where the source can be read only once.
PEEK = 4 << 20
_BLOCK = 64 << 10

# What the inspector tells apart and the image API does not: partitioned and encrypted disks are raw disks.
_API_NAMES = {"gpt": "raw", "luks": "raw"}


@dataclass(frozen=True)
class Inspection:
    """What the beginning of an image tells."""

    #: The image API's name: ``qcow2``, ``raw``, ``iso`` …
    disk_format: str
    #: Bytes of the disk that the image holds; None where the header does not say.
    virtual_size: int | None
    #: Why nobody should boot this (it would read other files of the host), or None.
    danger: str | None


def inspect(read: Callable[[int], bytes], limit: int | None = None) -> Inspection:
    """
    Look at an image from its start, as far as it takes to be sure.

    Args:
        read: Called with a number of bytes; returns at most that many, and none at the end.
        limit: Most bytes to read; None: to the end if need be.
    """
    # Imported here: it takes a tenth of a second, and only uploads need it.
    from oslo_utils.imageutils import format_inspector

    # The inspector logs each check that fails as a warning; whoever asked gets it as an answer.
    logging.getLogger(format_inspector.__name__).setLevel(logging.ERROR)
    source: Any = _Reader(read)
    wrapper = format_inspector.InspectWrapper(source)
    seen = 0
    while limit is None or seen < limit:
        block = wrapper.read(_BLOCK)
        seen += len(block)
        if not block or wrapper.formats is not None:
            break
    wrapper.close()
    matches = {str(match): match for match in wrapper.formats or []}
    # A bootable ISO has a partition table besides, and is an ISO all the same.
    name = "iso" if "iso" in matches else next(iter(matches), "raw")
    if len(matches) > 1 and set(matches) != {"iso", "gpt"}:
        return Inspection(name, None, f"it is several formats at once: {', '.join(sorted(matches))}")
    match = matches.get(name)
    danger = _danger(match, format_inspector) if match is not None and name != "raw" else None
    return Inspection(_API_NAMES.get(name, name), _virtual_size(match, name), danger)


class _Reader:
    """As much of a file as the inspector uses."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read


def _danger(match: Any, format_inspector: Any) -> str | None:
    try:
        match.safety_check()
    except format_inspector.SafetyCheckFailed as exc:
        return "; ".join(f"{name}: {failure}" for name, failure in sorted(exc.failures.items()))
    except format_inspector.ImageFormatError:
        # Too short to be judged; the service that gets it has the last word.
        return None
    return None


def _virtual_size(match: Any, name: str) -> int | None:
    if match is None or name in ("raw", "gpt"):
        return None
    try:
        return int(match.virtual_size) or None
    except Exception:  # noqa: BLE001 - a parser of foreign bytes; no size is an answer, too
        return None
