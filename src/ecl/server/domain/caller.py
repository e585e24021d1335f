"""The caller: what the rest of the service knows of the user behind a request."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The user, project and roles of a valid token."""

    user_id: str
    #: None for an unscoped token.
    project_id: str | None
    #: The region that the project belongs to.
    region: str | None
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """True if the caller may do everything."""
        return "admin" in self.roles

    @property
    def can_write(self) -> bool:
        """True if the caller may create, change, upload and download."""
        return bool(self.roles & {"admin", "member"})

    @property
    def can_read(self) -> bool:
        """True if the caller may list and show; a member may, too."""
        return bool(self.roles & {"admin", "member", "reader"})
