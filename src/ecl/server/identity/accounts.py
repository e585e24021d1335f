"""What the rest of the service needs of projects and of users' roles on them, wherever these are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ecl.server.threads import Run

__all__ = ["Accounts", "Project"]


@dataclass(frozen=True, slots=True)
class Project:
    """A project (tenant)."""

    enabled: bool
    #: The region that it belongs to; None: all of them.
    region: str | None


class Accounts(Protocol):
    """Projects and roles. The methods block: `in_thread` runs what calls them."""

    @property
    def in_thread(self) -> Run:
        """Runs a function that calls the methods, in a thread for this kind of waiting."""

    def project(self, project_id: str) -> Project | None:
        """
        Return the project; None if there is none.

        Raises:
            Unavailable: What keeps the projects does not answer.
        """

    def roles(self, user_id: str, project_id: str) -> frozenset[str]:
        """
        Return the roles that a user has on a project now, included ones too; none if one of the two is disabled.

        Raises:
            Unavailable: What keeps the roles does not answer.
        """

    def own_token(self) -> tuple[str, int]:
        """Return a token with the role admin for this service's own API, and when it expires (microseconds)."""
