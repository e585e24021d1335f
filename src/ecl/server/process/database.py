"""The database of the process: its URL, and opening it for this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ecl.server.process.lock import locked
from ecl.server.process.start_error import StartError, explained_start
from ecl.server.settings.model import Settings

if TYPE_CHECKING:
    from ecl.server.db.engine import Database

__all__ = ["database_url", "opened_database"]


def database_url(settings: Settings) -> str:
    """
    Return the SQLAlchemy URL of the database.

    Raises:
        StartError: The URL in *settings* cannot be used.
    """
    from ecl.server.db.url import UnusableDatabase, parse_url

    url = settings.database_url or f"sqlite:///{settings.data_dir.absolute() / 'ecl.db'}"
    try:
        parse_url(url)
    except UnusableDatabase as exc:
        raise StartError(f"The database cannot be used: {exc}.") from exc
    return url


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Open the database, claim this process's regions in it, and bring its schema up to date. Raises StartError."""
    from ecl.server.db.claim import claimed_regions
    from ecl.server.db.engine import Database

    database = Database(database_url(settings), settings.database_connections)
    with ExitStack() as stack:
        stack.callback(database.close)
        with explained_start(settings):
            if database.is_sqlite:
                file = database.name
                stack.enter_context(locked(Path(f"{file}.lock"), f"database {file}", "a database of its own"))
            else:
                regions = [region.name for region in settings.regions if not region.is_remote]
                stack.enter_context(claimed_regions(database, regions))
            database.prepare()
        yield database
