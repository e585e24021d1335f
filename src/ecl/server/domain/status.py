"""The statuses of an image, and which may follow which."""

from __future__ import annotations

__all__ = [
    "ACTIVE",
    "COUNTED",
    "DEACTIVATED",
    "DELETED",
    "FORMATS_OPEN",
    "IMPORTING",
    "INVISIBLE",
    "QUEUED",
    "SAVING",
    "STAGED",
    "UPLOADING",
    "WITH_DATA",
    "check_move",
    "may_become",
    "statuses_before",
]

#: Created, without data.
QUEUED = "queued"
#: Data is being uploaded.
SAVING = "saving"
#: Data is being uploaded to the staging area, or is there and waits for its import.
UPLOADING = "uploading"
#: An import is running.
IMPORTING = "importing"
#: The data is complete and never changes.
ACTIVE = "active"
#: As active, but only administrators may download.
DEACTIVATED = "deactivated"
#: Nobody sees it any more; its ID is never used again.
DELETED = "deleted"

_MOVES: dict[str, frozenset[str]] = {
    # At once active: an image whose data is at an address elsewhere.
    QUEUED: frozenset({SAVING, UPLOADING, IMPORTING, ACTIVE, DELETED}),
    SAVING: frozenset({ACTIVE, QUEUED, DELETED}),
    UPLOADING: frozenset({IMPORTING, QUEUED, DELETED}),
    IMPORTING: frozenset({ACTIVE, QUEUED, DELETED}),
    ACTIVE: frozenset({DEACTIVATED, DELETED}),
    DEACTIVATED: frozenset({ACTIVE, DELETED}),
    DELETED: frozenset(),
}

#: No caller sees an image with one of these; the last two are Glance's, and never written here.
INVISIBLE = frozenset({DELETED, "killed", "pending_delete"})
#: The statuses of images that exist, in the order in which `project_usage` has a column for each.
COUNTED = (QUEUED, SAVING, UPLOADING, IMPORTING, ACTIVE, DEACTIVATED)
#: Statuses with data in the staging area, which counts for the project's quota there.
STAGED = frozenset({UPLOADING, IMPORTING})
#: Statuses with data to download.
WITH_DATA = frozenset({ACTIVE, DEACTIVATED})
#: Statuses in which disk_format and container_format may change.
FORMATS_OPEN = frozenset({QUEUED, IMPORTING})


def may_become(status: str, target: str) -> bool:
    """Return True if an image may go from *status* to *target*."""
    return target in _MOVES.get(status, frozenset())


def statuses_before(target: str) -> frozenset[str]:
    """Return the statuses from which an image may become *target*."""
    return frozenset(status for status in _MOVES if may_become(status, target))


def check_move(status: str, target: str) -> None:
    """
    Refuse a change of status that no image may make: every query that writes a status asks this first.

    Raises:
        ValueError: The service itself is wrong; a request that comes too early or too late is a Conflict before that.
    """
    if status != target and not may_become(status, target):
        raise ValueError(f"an image that is {status} cannot become {target}")
