"""The member of an image: a project that a shared image is shared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecl.server.clock import iso_seconds

__all__ = ["MEMBER_STATUSES", "Member", "member_to_wire"]

MEMBER_STATUSES = ("pending", "accepted", "rejected")


@dataclass(slots=True)
class Member:
    """One invited project. Times are in microseconds since the epoch."""

    image_id: str
    #: The project's ID.
    member_id: str
    status: str
    created_at: int
    updated_at: int


def member_to_wire(member: Member) -> dict[str, Any]:
    """Return *member* in the JSON form of the API."""
    return {
        "member_id": member.member_id,
        "image_id": member.image_id,
        "status": member.status,
        "created_at": iso_seconds(member.created_at),
        "updated_at": iso_seconds(member.updated_at),
        "schema": "/v2/schemas/member",
    }
