"""What the database holds before anybody has logged in: the service's own user, and at first start, people to be."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS, now
from ecl.server.db.engine import Database
from ecl.server.identity.local import directory
from ecl.server.identity.local.passwords import generate_password
from ecl.server.identity.local.tokens import issue_token
from ecl.server.process.clouds_file import CloudEntry, write_clouds
from ecl.server.settings.model import Settings

__all__ = ["ADMIN", "DEMO", "REPLICATOR", "SERVICE_PROJECT", "internal_token", "known_regions", "prepare_identity"]

#: The people that the first start makes.
DEMO, ADMIN = "demo", "admin"
#: Who copies images between regions: no password, and a project that belongs to no region.
REPLICATOR, SERVICE_PROJECT = "replicator", "service"


def prepare_identity(database: Database, settings: Settings, clouds_path: Path, auth_url: str) -> bool:
    """
    Make sure that the service's own user is there and, in a fresh database, that people can log in.

    A fresh database gets the user ``demo`` with a project in each region, and ``admin``, who has one for all of them,
    both with generated passwords; *clouds_path* is written before they are committed, so the passwords cannot get lost.

    Returns:
        True if the database was fresh.
    """
    with database.read() as connection:
        if directory.get_user(connection, name=REPLICATOR) is not None:
            return False
    with database.write() as connection:
        if directory.get_user(connection, name=REPLICATOR) is not None:
            return False
        _make_replicator(connection)
        write_clouds(clouds_path, auth_url, _make_people(connection, settings))
    return True


def internal_token(database: Database, lifetime: int = 3600) -> tuple[str, int]:
    """
    Return a new token of the service's own user, with the role admin, and when it expires.

    Args:
        lifetime: Seconds.

    Returns:
        The token's text, and microseconds since the epoch.
    """
    expires_at = now() + lifetime * MICROSECONDS
    with database.write() as connection:
        user = directory.find_user(connection, REPLICATOR)
        project = directory.find_project(connection, SERVICE_PROJECT)
        return issue_token(connection, user, project, methods=["password"], expires_at=expires_at), expires_at


def known_regions(connection: Connection, settings: Settings) -> frozenset[str]:
    """Return the regions of *settings* and those that already have projects: flags are not written down."""
    used = {project.region for project in directory.list_projects(connection)} - {""}
    return frozenset(used | {region.name for region in settings.regions})


def _make_replicator(connection: Connection) -> None:
    user = directory.create_user(connection, REPLICATOR, None)
    project = directory.create_project(connection, SERVICE_PROJECT, region="")
    directory.grant_role(connection, user, "admin", project)


def _make_people(connection: Connection, settings: Settings) -> list[CloudEntry]:
    local = [region.name for region in settings.regions if not region.is_remote]
    passwords = {DEMO: generate_password(), ADMIN: generate_password()}
    demo = directory.create_user(connection, DEMO, passwords[DEMO])
    entries = []
    for region in local:
        project = directory.create_project(connection, f"{DEMO}-{region}", region)
        directory.grant_role(connection, demo, "member", project)
        entries.append(CloudEntry(f"{DEMO}-{region}", DEMO, passwords[DEMO], project.id, region))
    first = entries[0]
    admin = directory.create_user(connection, ADMIN, passwords[ADMIN])
    # No region: this project is at home in every one.
    project = directory.create_project(connection, ADMIN, region="")
    directory.grant_role(connection, admin, "admin", project)
    return [
        CloudEntry(DEMO, DEMO, first.password, first.project_id, first.region),
        *entries,
        CloudEntry(ADMIN, ADMIN, passwords[ADMIN], project.id, local[0]),
    ]
