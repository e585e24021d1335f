"""The statuses of an image and the moves between them."""

from __future__ import annotations

__all__ = [
    "ACTIVE",
    "DEACTIVATED",
    "DELETED",
    "FORMATS_OPEN",
    "IMPORTING",
    "INVISIBLE",
    "QUEUED",
    "SAVING",
    "UPLOADING",
    "WITH_DATA",
    "may_become",
]

#: Known, without bytes.
QUEUED = "queued"
#: Bytes are arriving.
SAVING = "saving"
#: Bytes are arriving in the staging area.
UPLOADING = "uploading"
#: An import is at work.
IMPORTING = "importing"
#: Bytes are there and never change again.
ACTIVE = "active"
#: As active, but only administrators may download.
DEACTIVATED = "deactivated"
#: Gone for everyone; the ID is never used again.
DELETED = "deleted"

_MOVES: dict[str, frozenset[str]] = {
    QUEUED: frozenset({SAVING, UPLOADING, IMPORTING, ACTIVE, DELETED}),
    SAVING: frozenset({ACTIVE, QUEUED, DELETED}),
    UPLOADING: frozenset({IMPORTING, QUEUED, DELETED}),
    IMPORTING: frozenset({ACTIVE, QUEUED, DELETED}),
    ACTIVE: frozenset({DEACTIVATED, DELETED, "pending_delete"}),
    DEACTIVATED: frozenset({ACTIVE, DELETED}),
    "killed": frozenset({DELETED}),
    "pending_delete": frozenset({DELETED, ACTIVE}),
    DELETED: frozenset(),
}

#: No caller ever sees an image with one of these.
INVISIBLE = frozenset({DELETED, "killed", "pending_delete"})
#: There are bytes to download.
WITH_DATA = frozenset({ACTIVE, DEACTIVATED})
#: disk_format and container_format may still change.
FORMATS_OPEN = frozenset({QUEUED, IMPORTING})


def may_become(status: str, target: str) -> bool:
    """Return True if an image may go from *status* to *target*."""
    return target in _MOVES.get(status, frozenset())
