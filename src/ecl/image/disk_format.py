"""The format of an image file, as the inspector sees it that Glance, Nova and Cinder share."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ecl._disk_header import impossible_header
from ecl.image.foreign import NEEDED, foreign, is_text

__all__ = ["Inspection", "inspect"]

#: Bytes that are inspected if the source can be read only once.
PEEK = 4 << 20
_BLOCK = 64 << 10

# The inspector knows more formats than the image API: partitioned and encrypted disks are raw disks there.
_API_NAMES = {"gpt": "raw", "luks": "raw"}


@dataclass(frozen=True)
class Inspection:
    """What the beginning of an image says about it."""

    #: The image API's name: ``qcow2``, ``raw``, ``iso`` …
    disk_format: str
    #: Bytes of the disk that the image holds; None where the header does not say.
    virtual_size: int | None
    #: Why nothing should boot this, or None: it would read other files of the host, or its header is impossible.
    danger: str | None
    #: What it is where it is no disk, and what to do about it: "is compressed with gzip: …"; None if it may be a disk.
    foreign: str | None = None
    #: True if it begins as a text does: it can be a raw disk only if the user says so.
    is_text: bool = False
    #: True if there was no byte.
    is_empty: bool = False


#: True while an image is inspected here: a failed check is a result here, not a warning in the log.
_inspecting: ContextVar[bool] = ContextVar("inspecting", default=False)


def _is_for_others(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not _inspecting.get()


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep warnings of the inspector out of the log, in this thread alone: others may want theirs."""
    logging.getLogger("oslo_utils.imageutils.format_inspector").addFilter(_is_for_others)
    token = _inspecting.set(True)
    try:
        yield
    finally:
        _inspecting.reset(token)


@_without_warnings()
def inspect(read: Callable[[int], bytes], limit: int | None = None) -> Inspection:
    """
    Inspect an image from its start, until the format is clear.

    Args:
        read: Called with a number of bytes; returns at most that many, and an empty block at the end.
        limit: Maximum number of bytes to read; None: to the end if necessary.
    """
    # Imported here: it takes a tenth of a second, and only uploads need it.
    from oslo_utils.imageutils import format_inspector

    source: Any = _Reader(read)
    head = bytearray()
    wrapper = format_inspector.InspectWrapper(source)
    seen = 0
    while limit is None or seen < limit:
        block = wrapper.read(_BLOCK)
        seen += len(block)
        head += block[: max(0, NEEDED - len(head))]
        if not block or wrapper.formats is not None:
            break
    wrapper.close()
    matches = {str(match): match for match in wrapper.formats or []}
    # A bootable ISO also has a partition table; it is still an ISO.
    name = "iso" if "iso" in matches else next(iter(matches), "raw")
    if len(matches) > 1 and set(matches) != {"iso", "gpt"}:
        return Inspection(name, None, f"it is several formats at once: {', '.join(sorted(matches))}")
    match = matches.get(name)
    danger = _danger(match, format_inspector) if match is not None and name != "raw" else None
    return Inspection(
        _API_NAMES.get(name, name),
        _virtual_size(match, name),
        danger,
        foreign(bytes(head)) if name == "raw" else None,
        name == "raw" and is_text(bytes(head)),
        not head,
    )


class _Reader:
    """The part of a file's interface that the inspector uses."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read


def _danger(match: Any, format_inspector: Any) -> str | None:
    try:
        match.safety_check()
    except format_inspector.SafetyCheckFailed as exc:
        return "; ".join(f"{name}: {failure}" for name, failure in sorted(exc.failures.items()))
    except format_inspector.ImageFormatError:
        # Too short for the inspector; the service decides.
        return None
    return impossible_header(match)


def _virtual_size(match: Any, name: str) -> int | None:
    if match is None or name in ("raw", "gpt"):
        return None
    try:
        size = int(match.virtual_size)
    except Exception:  # noqa: BLE001 - a parser of foreign bytes may raise anything; the size is then not known
        return None
    return size if size > 0 else None
