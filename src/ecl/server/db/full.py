"""The error of a full disk, in both databases."""

from __future__ import annotations

__all__ = ["is_full"]

#: SQLite's error name, and PostgreSQL's SQLSTATE.
_SQLITE_FULL = "SQLITE_FULL"
_POSTGRESQL_FULL = "53100"


def is_full(error: BaseException) -> bool:
    """Return True if *error*, which SQLAlchemy has raised, says that the disk of the database is full."""
    driver = getattr(error, "orig", None)
    name = getattr(driver, "sqlite_errorname", None)
    return name == _SQLITE_FULL or getattr(driver, "sqlstate", None) == _POSTGRESQL_FULL
