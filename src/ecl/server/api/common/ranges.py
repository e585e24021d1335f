"""Range headers: which part of an image a download asks for."""

from __future__ import annotations

import re

from ecl.server.errors import BadRequest
from ecl.server.http.errors import RangeNotSatisfiable

__all__ = ["parse_content_range", "parse_range"]

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.ASCII | re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/(?:\*|[0-9]{1,19})", re.ASCII)


def parse_range(header: str, size: int) -> tuple[int, int]:
    """
    Return the first and last byte (inclusive) of the ``Range`` *header* for an image of *size* bytes.

    Raises:
        BadRequest: More than one range.
        RangeNotSatisfiable: It is not a range of bytes, or lies beyond the image.
    """
    if "," in header:
        raise BadRequest("Only one range of an image can be asked for at a time.")
    match = _RANGE.fullmatch(header.replace(" ", ""))
    first, last = match.groups() if match else ("", "")
    if not (first or last) or size == 0:
        raise _not_satisfiable(header, size)
    if not first:
        # A suffix: the last *length* bytes. "-0", and more than the image has, mean the whole image, as in Glance.
        length = int(last)
        return (size - length, size - 1) if 0 < length <= size else (0, size - 1)
    begin = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if begin > end:
        raise _not_satisfiable(header, size)
    return begin, end


def parse_content_range(header: str, size: int) -> tuple[int, int]:
    """
    Return the first and last byte of the old form: a request with ``Content-Range: bytes 0-4/10``.

    Raises:
        RangeNotSatisfiable: It is malformed, or reaches beyond the image.
    """
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if not match:
        raise _not_satisfiable(header, size)
    begin, end = int(match[1]), int(match[2])
    if begin > end or end >= size:
        raise _not_satisfiable(header, size)
    return begin, end


def _not_satisfiable(header: str, size: int) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(
        f"The range '{header[:80]}' is not a part of an image of {size} bytes.",
        {"Content-Range": f"bytes */{size}"},
    )
