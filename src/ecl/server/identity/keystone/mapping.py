"""The Keystone's roles and projects as the service's: by the settings."""

from __future__ import annotations

from collections.abc import Iterable

from ecl.server.identity.keystone.client import Document, KeystoneClient
from ecl.server.identity.roles import ROLES, expand_roles
from ecl.server.settings.model import KeystoneSettings

__all__ = ["IdentityMapping"]


class IdentityMapping:
    """The part of the settings that says what the Keystone's roles and projects mean here."""

    def __init__(self, settings: KeystoneSettings, client: KeystoneClient) -> None:
        self._settings = settings
        self._client = client

    def roles(self, names: Iterable[str]) -> frozenset[str]:
        """
        Return the service's roles that the Keystone's roles *names* count as, with those that they include.

        Roles that mean nothing to the service stay: the rules about properties may name them.
        """
        given = frozenset(names)
        counted = [role for role in ROLES if not given.isdisjoint(getattr(self._settings, f"{role}_roles"))]
        return frozenset(expand_roles(counted)) | (given - set(ROLES))

    def region(self, project_id: str, project: Document | None = None) -> str | None:
        """
        Return the region of a project; None: it belongs to all of them.

        Args:
            project: What the Keystone says of it; None: it is asked, if the settings need that.

        Raises:
            Unavailable: The Keystone does not answer.
        """
        named = self._settings.project_regions.get(project_id)
        if named is not None or self._settings.region_tag is None:
            return named
        if project is None:
            project = self._client.project(project_id) or {}
        start = f"{self._settings.region_tag}="
        found = sorted(str(tag) for tag in project.get("tags", ()) if str(tag).startswith(start))
        return found[0].removeprefix(start) if found else None
