"""
Bring a database to the newest schema.

A fresh database gets all tables at once and the newest version number. Alembic is imported only to change an older one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ecl.server.db.tables import metadata
from ecl.server.db.url import UnusableDatabase

__all__ = ["HEAD", "DatabaseTooNew", "is_migrated", "migrate"]

#: The newest revision in ``migrations/versions``; a test compares the two.
HEAD = "0013"

_SCRIPTS = Path(__file__).with_name("migrations")


class DatabaseTooNew(UnusableDatabase):
    """The database has a newer schema than this release knows."""


def migrate(connection: Connection) -> None:
    """
    Bring the schema to the newest version, in the transaction of *connection*, which comes from `Database.write`.

    Raises:
        DatabaseTooNew: A later release has changed the database.
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables and not tables & set(metadata.tables):
        metadata.create_all(connection)
        _stamp(connection)
    elif _revision(connection, tables) != HEAD:
        upgrade(connection)


def is_migrated(connection: Connection) -> bool:
    """Return True if the schema is the newest version, which a start of the service makes of an older one."""
    return _revision(connection, set(inspect(connection).get_table_names())) == HEAD


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the missing migrations up to *to*. Raises DatabaseTooNew."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    # A "%" in the path would be read as an interpolation.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    revision = _revision(connection, set(inspect(connection).get_table_names()))
    try:
        ScriptDirectory.from_config(config).get_revision(revision or "base")
    except CommandError as exc:
        raise DatabaseTooNew(
            f"the database has schema {revision}, this release knows schemas up to {HEAD}: use a newer release"
        ) from exc
    command.upgrade(config, to)


def _revision(connection: Connection, tables: set[str]) -> str | None:
    if "alembic_version" not in tables:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _stamp(connection: Connection) -> None:
    # The same table as Alembic creates.
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})
