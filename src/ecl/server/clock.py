"""Times: microseconds since the epoch (UTC) in the database, ISO 8601 in the API."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["MICROSECONDS", "iso_microseconds", "iso_seconds", "now"]

#: Microseconds in a second.
MICROSECONDS = 1_000_000


def now() -> int:
    """Return the present time in microseconds since the epoch."""
    return time.time_ns() // 1000


def iso_microseconds(microseconds: int) -> str:
    """Return *microseconds* as ``2026-01-31T12:00:00.000000``: UTC, without a zone."""
    seconds, fraction = divmod(microseconds, MICROSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06}"


def iso_seconds(microseconds: int) -> str:
    """Return *microseconds* as ``2026-01-31T12:00:00Z``; without the fraction."""
    return datetime.fromtimestamp(microseconds // MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
