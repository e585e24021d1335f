"""The options of an upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ecl import exceptions
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.progress import ProgressCallback

__all__ = ["MAX_EXPANDED", "UploadOptions"]

#: Bytes that a compressed source may expand to by default: Glance's own limit for an image.
MAX_EXPANDED = 1 << 40


@dataclass(frozen=True)
class UploadOptions:
    """
    What a caller can say about an upload, beside image and data.

    Raises:
        InvalidRequest: *max_expanded* is not a positive whole number.
    """

    progress: ProgressCallback | None = None
    #: Send even what the image inspector finds dangerous or of another format than declared.
    force: bool = False
    bandwidth: Bandwidth | None = None
    #: Decode gzip, bzip2, xz and zstd on the way.
    decompress: bool = False
    #: Bytes that decoding may make, at most.
    max_expanded: int = MAX_EXPANDED

    @classmethod
    def of(
        cls,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
    ) -> Self:
        """Return what the arguments of the proxy's methods stand for. Raises InvalidRequest."""
        limit = MAX_EXPANDED if max_expanded is None else max_expanded
        return cls(progress, force, limit_of(max_bandwidth), decompress, limit)

    def __post_init__(self) -> None:
        _check_positive("max_expanded", self.max_expanded)


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise exceptions.InvalidRequest(f"{name} must be a positive whole number of bytes, not {value!r}")
