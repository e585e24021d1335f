"""The error of a start, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecl.server.settings.model import Settings

__all__ = ["StartError", "explained_start"]


class StartError(Exception):
    """The service cannot start. The message is one sentence that says why and, if possible, what to do."""


@contextmanager
def explained_start(settings: Settings) -> Iterator[None]:
    """Translate the errors of a start into `StartError`."""
    from sqlalchemy.exc import SQLAlchemyError

    from ecl.server.data.store.base import StoreError
    from ecl.server.db.full import is_full
    from ecl.server.db.metadefs_load import MetadefsError
    from ecl.server.db.url import UnusableDatabase

    try:
        yield
    except UnusableDatabase as exc:
        raise StartError(f"The database cannot be used: {exc}.") from exc
    except SQLAlchemyError as exc:
        if is_full(exc):
            where = settings.database_url or settings.data_dir / "ecl.db"
            if settings.database_url is not None and not settings.database_url.startswith("sqlite"):
                where = "PostgreSQL"
            raise StartError(f"The disk of the database is full ({where}): free some space there.") from exc
        reason = str(getattr(exc, "orig", None) or exc).splitlines()[0]
        raise StartError(f"The database cannot be used: {reason}.") from exc
    except MetadefsError as exc:
        raise StartError(f"The metadata definitions cannot be loaded: {exc.message}") from exc
    except StoreError as exc:
        raise StartError(f"The {exc.place} of the images cannot be used: {exc}.") from exc
    except OSError as exc:
        where = f"data folder {settings.data_dir}" if exc.filename is None else f"file {exc.filename}"
        raise StartError(f"The {where} cannot be used: {exc.strerror or exc}.") from exc
