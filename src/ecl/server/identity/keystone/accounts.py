"""Projects and roles of the Keystone."""

from __future__ import annotations

from ecl.server import threads
from ecl.server.clock import MICROSECONDS, now
from ecl.server.identity.accounts import Project
from ecl.server.identity.keystone.client import KeystoneClient
from ecl.server.identity.keystone.mapping import IdentityMapping
from ecl.server.identity.keystone.own_token import OwnToken

__all__ = ["KeystoneAccounts"]

#: Seconds until the service asks for its own token again.
_OWN_TOKEN_LIFETIME = 86400


class KeystoneAccounts:
    """Projects and roles of the Keystone; each call asks it. Its own user needs the role admin there for that."""

    def __init__(self, client: KeystoneClient, mapping: IdentityMapping, own: OwnToken) -> None:
        self._client = client
        self._mapping = mapping
        self._own = own

    @property
    def in_thread(self) -> threads.Run:
        """Runs a function in a thread for questions to the Keystone."""
        return threads.verify

    def project(self, project_id: str) -> Project | None:
        """Return the project; None if there is none. Raises Unavailable."""
        found = self._client.project(project_id)
        if found is None:
            return None
        return Project(bool(found.get("enabled", True)), self._mapping.region(project_id, found))

    def roles(self, user_id: str, project_id: str) -> frozenset[str]:
        """Return the roles of a user on a project; none if one of the two is disabled. Raises Unavailable."""
        for found in (self._client.user(user_id), self._client.project(project_id)):
            if found is None or not found.get("enabled", True):
                return frozenset()
        return self._mapping.roles(self._client.role_names(user_id, project_id))

    def own_token(self) -> tuple[str, int]:
        """Return the token that only this process knows."""
        return self._own.text, now() + _OWN_TOKEN_LIFETIME * MICROSECONDS
