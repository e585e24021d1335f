"""The first start: the service's own user, and the users demo and admin with generated passwords."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from ecl.server.db.engine import Database
from ecl.server.identity.local import directory
from ecl.server.identity.local.internal_user import REPLICATOR, create_internal_user
from ecl.server.identity.local.passwords import generate_password
from ecl.server.process.clouds_file import CloudEntry, write_clouds
from ecl.server.settings.model import Settings

__all__ = ["ADMIN", "DEMO", "known_regions", "prepare_identity"]

#: Names of the users that the first start creates.
DEMO, ADMIN = "demo", "admin"


def prepare_identity(database: Database, settings: Settings, clouds_path: Path, auth_url: str) -> bool:
    """
    Create the service's own user and, in a fresh database, users who can log in.

    A fresh database gets the user ``demo`` with a project in each region, and ``admin`` with one project for all
    regions, both with generated passwords. *clouds_path* is written before the commit, so no password gets lost.

    Returns:
        True if the database was fresh.
    """
    with database.read() as connection:
        if directory.get_user(connection, name=REPLICATOR) is not None:
            return False
    with database.write(alone=True) as connection:
        if directory.get_user(connection, name=REPLICATOR) is not None:
            return False
        create_internal_user(connection)
        write_clouds(clouds_path, auth_url, _create_users(connection, settings))
    return True


def known_regions(connection: Connection, settings: Settings) -> frozenset[str]:
    """Return the regions of *settings* and those that have projects: regions from flags are in no file."""
    used = {project.region for project in directory.list_projects(connection)} - {""}
    return frozenset(used | {region.name for region in settings.regions})


def _create_users(connection: Connection, settings: Settings) -> list[CloudEntry]:
    local = [region.name for region in settings.regions if not region.is_remote]
    passwords = {DEMO: generate_password(), ADMIN: generate_password()}
    demo = directory.create_user(connection, DEMO, passwords[DEMO], settings.password_cost)
    entries = []
    for region in local:
        project = directory.create_project(connection, f"{DEMO}-{region}", region)
        directory.grant_role(connection, demo, "member", project)
        entries.append(CloudEntry(f"{DEMO}-{region}", DEMO, passwords[DEMO], project.id, region))
    first = entries[0]
    admin = directory.create_user(connection, ADMIN, passwords[ADMIN], settings.password_cost)
    # No region: this project is at home in every one.
    project = directory.create_project(connection, ADMIN, region="")
    directory.grant_role(connection, admin, "admin", project)
    return [
        CloudEntry(DEMO, DEMO, first.password, first.project_id, first.region),
        *entries,
        CloudEntry(ADMIN, ADMIN, passwords[ADMIN], project.id, local[0]),
    ]
