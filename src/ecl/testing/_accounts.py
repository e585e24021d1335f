"""The users and projects of one service, and the passwords that are known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecl.testing._door import Refused
from ecl.testing.projects import TestProject

__all__ = ["Accounts"]


class Accounts:
    """
    Those of the first start, and those that were added.

    Args:
        clouds_yaml: The file that the service writes for its users.
    """

    def __init__(self, clouds_yaml: Path) -> None:
        self._clouds_yaml = clouds_yaml
        self._projects: dict[tuple[str, str], TestProject] = {}

    def project(self, region: str, user: str) -> TestProject:
        """
        Return the first project that *user* has in *region*; an admin's one project is good for every region.

        Raises:
            Refused: The user has no project there.
        """
        for key in ((region, user), ("", user)):
            if key in self._projects:
                return self._projects[key]
        for name, cloud in self._clouds().items():
            auth = cloud["auth"]
            at = "" if auth["username"] == "admin" else cloud["region_name"]
            found = TestProject(auth["project_id"], name, cloud["region_name"], auth["username"], auth["password"])
            self._projects.setdefault((at, found.username), found)
            if found.username == user and at in ("", region):
                return found
        raise Refused(
            f"The user {user!r} has no project in region {region!r}: add one with add_project({region!r}, {user!r})."
        )

    def password(self, user: str) -> str:
        """
        Return the password of *user*.

        Raises:
            Refused: It is not known here.
        """
        for (_, name), project in self._projects.items():
            if name == user:
                return project.password
        for cloud in self._clouds().values():
            if cloud["auth"]["username"] == user:
                return str(cloud["auth"]["password"])
        raise Refused(f"The password of the user {user!r} is not known here: choose another name for a new user.")

    def add(self, project: TestProject) -> None:
        """Remember *project*, unless its user has one in its region."""
        try:
            self.project(project.region, project.username)
        except Refused:
            self._projects[project.region, project.username] = project

    def remove(self, project_id: str) -> None:
        """Forget a project."""
        self._projects = {key: each for key, each in self._projects.items() if each.id != project_id}

    def clear(self) -> None:
        """Forget what was added."""
        self._projects.clear()

    def _clouds(self) -> dict[str, Any]:
        import yaml

        if not self._clouds_yaml.exists():
            # On a database that another service has made, nobody new was told a password.
            return {}
        clouds: dict[str, Any] = yaml.safe_load(self._clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        return clouds
