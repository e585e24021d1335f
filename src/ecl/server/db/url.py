"""The URL of the database, and the error for one that cannot be used."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

__all__ = ["UnusableDatabase", "parse_url"]

#: Schemes of a database URL, and the driver of each.
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


class UnusableDatabase(Exception):
    """
    The database cannot be used.

    The message says why and what to do. It is a clause without a capital letter and a full stop, and has no password.
    """


def parse_url(url: str) -> URL:
    """
    Return the URL of a database that this release can use, with the name of its driver.

    Raises:
        UnusableDatabase: It is not such a URL, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The error of make_url may contain a part of the password.
        raise UnusableDatabase(
            "database_url is not a URL such as postgresql://user:password@host:5432/database"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise UnusableDatabase(
            f"database_url begins with {parsed.drivername}, not with sqlite:/// or postgresql://"
        ) from None
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.drivername == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise UnusableDatabase("database_url names no file, as in sqlite:////var/lib/ecl/ecl.db")
        return parsed
    if "@" in (parsed.host or ""):
        # A part of the password would be taken for the host, and shown in errors.
        raise UnusableDatabase("database_url has more than one @: one that belongs to the password is written %40")
    try:
        import psycopg  # noqa: F401 - the driver does the same, and it also fails without libpq
    except ImportError:
        raise UnusableDatabase(
            "the driver for PostgreSQL is not installed: pip install 'ecl-image[server,postgres]'"
        ) from None
    return parsed
