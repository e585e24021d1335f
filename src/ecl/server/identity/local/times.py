"""Times in Keystone's format; the database has microseconds since the epoch (`ecl.server.clock`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_iso", "to_iso"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_iso(microseconds: int) -> str:
    """Return a time as ``2026-01-31T12:00:00.000000Z``."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> int:
    """
    Return the microseconds since the epoch of an ISO 8601 time; one without an offset is UTC.

    Raises:
        ValueError: *text* is not such a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
