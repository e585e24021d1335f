"""Projects of tests: made with a user and a token in one go, and removed with everything that they have."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS, now
from ecl.server.data.region import Region
from ecl.server.data.removal import remove_now
from ecl.server.db.engine import Database, retried
from ecl.server.db.garbage import Garbage
from ecl.server.db.images import mark_deleted
from ecl.server.db.wipe import forget_deleted, images_of, remove_jobs, remove_namespaces
from ecl.server.errors import BadRequest
from ecl.server.identity.local import directory
from ecl.server.identity.local.directory import Project
from ecl.server.identity.local.passwords import generate_password, hash_password
from ecl.server.identity.local.tokens import Token, issue_token, read_token
from ecl.server.settings.model import Settings

__all__ = ["Added", "NewProject", "Projects", "add_project"]

#: Each region with the images that were removed, and their data.
_Left: TypeAlias = list[tuple[Region, list[str], list[Garbage]]]

#: A random password of 144 bits is not guessed, so its hash may cost nothing; the first login replaces it.
_NO_COST = 4


class NewProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    What a test asks for.

    Attributes:
        region: None: the first region; "": all regions.
        name: Of the project; None: a random one.
        user: Name of a user, who is made if there is none of this name; None: a new one, named as the project is.
        role: Of the user on the project.
    """

    region: str | None = None
    name: str | None = None
    user: str | None = None
    role: str = "member"


@dataclass(frozen=True, slots=True)
class Added:
    """A new project, and a token of its user for it."""

    project: Project
    token: str
    content: Token
    #: None if the user was there before.
    password: str | None


def add_project(connection: Connection, settings: Settings, wanted: NewProject) -> Added:
    """
    Add a project, and its user.

    Raises:
        BadRequest: There is no such region or role, or a name cannot be used.
        Conflict: There is a project of this name.
    """
    regions = [region.name for region in settings.regions if not region.is_remote]
    region = regions[0] if wanted.region is None else wanted.region
    if region and region not in regions:
        raise BadRequest(f"There is no region {region!r}; there are {', '.join(regions)}.")
    name = wanted.name or f"project-{secrets.token_hex(4)}"
    project = directory.create_project(connection, name, region)
    user = directory.get_user(connection, name=wanted.user or name)
    password = None
    if user is None:
        password = generate_password()
        user = directory.add_user(connection, wanted.user or name, hash_password(password, _NO_COST))
    directory.grant_role(connection, user, wanted.role, project)
    until = now() + settings.token_lifetime * MICROSECONDS
    token = issue_token(connection, user, project, methods=["password"], expires_at=until)
    content = read_token(connection, token)
    assert content is not None
    return Added(project, token, content, password)


class Projects:
    """
    The projects of a service, for the door.

    Args:
        regions: The regions that this process serves, opened.
    """

    def __init__(self, settings: Settings, database: Database, regions: Sequence[Region]) -> None:
        self._settings = settings
        self._database = database
        self._regions = regions
        with database.read() as connection:
            self._first = self._present(connection)

    @retried
    def add(self, wanted: NewProject) -> Added:
        """Add a project. Raises as `add_project` does."""
        with self._database.write() as connection:
            return add_project(connection, self._settings, wanted)

    def remove(self, project_id: str) -> None:
        """
        Remove a project, its images, jobs and metadata definitions, and its users who have no other project.

        Raises:
            NotFound: There is no such project.
        """
        self._discard(self._removed(project_id))

    def reset(self) -> None:
        """Remove all images and jobs, and what the service did not have when it started: projects and users."""
        self._discard(self._removed_all())

    @retried
    def _removed(self, project_id: str) -> _Left:
        # One transaction: each costs a flush to the disk.
        with self._database.write() as connection:
            project = directory.find_project(connection, project_id)
            left = self._empty(connection, [project.id])
            people = {user for user, _, _ in directory.list_roles(connection, project_id=project.id)}
            remove_namespaces(connection, [project.id])
            directory.delete_project(connection, project)
            for user_id in people - self._first:
                if not directory.list_roles(connection, user_id):
                    directory.delete_user(connection, directory.find_user(connection, user_id))
        return left

    @retried
    def _removed_all(self) -> _Left:
        with self._database.write() as connection:
            left = self._empty(connection, None)
            added = [each for each in directory.list_projects(connection) if each.id not in self._first]
            remove_namespaces(connection, [each.id for each in added])
            for project in added:
                directory.delete_project(connection, project)
            for user in directory.list_users(connection):
                if user.id not in self._first:
                    directory.delete_user(connection, user)
        return left

    def _empty(self, connection: Connection, owners: Collection[str] | None) -> _Left:
        """Remove images and jobs of *owners*, None: of all. Return what is left of them outside the database."""
        remove_jobs(connection, owners)
        left = []
        for region in self._regions:
            found = images_of(connection, region.name, owners)
            garbage = [item for image_id in found for item in mark_deleted(connection, region.name, image_id)]
            forget_deleted(connection, region.name, owners)
            left.append((region, found, garbage))
        return left

    def _discard(self, left: _Left) -> None:
        for region, image_ids, garbage in left:
            if region.cache is not None:
                for image_id in image_ids:
                    region.cache.delete(image_id)
            remove_now(region, self._database, garbage)

    @staticmethod
    def _present(connection: Connection) -> frozenset[str]:
        """Return the IDs of all projects and users."""
        projects = [project.id for project in directory.list_projects(connection)]
        return frozenset([*projects, *(user.id for user in directory.list_users(connection))])
