"""Times: microseconds since the epoch (UTC) in the database, ISO 8601 in the API."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["MICROSECONDS", "iso_microseconds", "iso_seconds", "now", "shift", "shifted"]

#: Microseconds in a second.
MICROSECONDS = 1_000_000

#: Microseconds that this process's clock is ahead; only tests move it (`ecl.server.testing`).
_ahead = 0


def now() -> int:
    """Return the present time in microseconds since the epoch."""
    return time.time_ns() // 1000 + _ahead


def shift(microseconds: int) -> None:
    """Let `now` be *microseconds* ahead of this host's clock. Leases follow the database's clock, and stay."""
    global _ahead
    _ahead = microseconds


def shifted() -> int:
    """Return how many microseconds `now` is ahead of this host's clock."""
    return _ahead


def iso_microseconds(microseconds: int) -> str:
    """Return *microseconds* as ``2026-01-31T12:00:00.000000``: UTC, without a zone."""
    seconds, fraction = divmod(microseconds, MICROSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06}"


def iso_seconds(microseconds: int) -> str:
    """Return *microseconds* as ``2026-01-31T12:00:00Z``; without the fraction."""
    return datetime.fromtimestamp(microseconds // MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
