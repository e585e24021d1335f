"""``ecl serve backup`` and ``ecl serve restore``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecl.cli.serve._service import explained, load, opened, service_options
from ecl.cli.serve.check import DAMAGE_LEFT

if TYPE_CHECKING:
    from ecl.server.data.backups.backup import Copied

__all__ = ["backup", "restore"]

_copy_option = click.option("--copy", is_flag=True, help="Copy all data, also where hard links are possible.")
#: Missing data that is listed by name.
_LISTED = 20


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_copy_option
@service_options
@click.pass_context
def backup(ctx: click.Context, folder: Path, copy: bool, data_dir: Path | None, config: Path | None) -> None:
    """
    Back up the service into the new FOLDER, also while it runs.

    The backup has one state of the database and all data that it names: everything that was acknowledged before the
    command began. Data is linked where FOLDER is on the same file system, which takes no room; --copy copies it.
    """
    with opened(ctx, data_dir, config) as (database, settings), _explained(folder):
        from ecl.server.data.backups.backup import back_up
        from ecl.server.data.region import open_existing
        from ecl.server.process.run import clouds_path

        regions = open_existing(settings)
        copied = back_up(database, regions, folder, clouds_path(settings), link=not copy, lease=settings.node_lease)
    _tell(f"Backed up into {folder}", copied)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_copy_option
@service_options
@click.pass_context
def restore(ctx: click.Context, folder: Path, copy: bool, data_dir: Path | None, config: Path | None) -> None:
    """
    Restore the backup in FOLDER into an empty data folder.

    The restored service has the same users and images, and an identity of its own: it never removes files of the
    original. Data is linked where that is possible; --copy copies it.
    """
    outer = ctx.find_object(dict) or {}
    with explained(), _explained(folder):
        from ecl.server.data.backups.restore import check_backup
        from ecl.server.data.backups.restore import restore as restore_backup
        from ecl.server.data.region import open_existing
        from ecl.server.db.engine import Database
        from ecl.server.process.database import database_url
        from ecl.server.process.lock import locked_folder
        from ecl.server.process.run import clouds_path

        settings = load(config or outer.get("config"), {"data_dir": data_dir or outer.get("data_dir")})
        database = Database(database_url(settings))
        try:
            check_backup(folder, database)
            with locked_folder(settings):
                _check_empty(settings.data_dir)
                regions = open_existing(settings)
                copied = restore_backup(folder, database, regions, clouds_path(settings), link=not copy)
        finally:
            database.close()
    _tell(f"Restored into {settings.data_dir}", copied)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    from ecl.server.data.backups.manifest import BackupError
    from ecl.server.data.store.base import StoreError
    from ecl.server.db.engine import DatabaseError, first_line

    try:
        yield
    except BackupError as exc:
        raise click.ClickException(str(exc)) from exc
    except StoreError as exc:
        raise click.ClickException(f"The store cannot be used: {exc}.") from exc
    except DatabaseError as exc:
        raise click.ClickException(f"The database cannot be used: {first_line(exc)}.") from exc
    except OSError as exc:
        raise click.ClickException(f"{exc.filename or folder} cannot be used: {exc.strerror}.") from exc


def _check_empty(data_dir: Path) -> None:
    found = [path.name for path in data_dir.iterdir() if path.name != "service.lock"]
    if found:
        raise click.ClickException(f"{data_dir} is not empty (it has {found[0]}): name a new folder with --data-dir.")


def _tell(what: str, copied: Copied) -> None:
    click.echo(f"{what}: {copied.files} files, {copied.bytes} bytes, {copied.links} of them links.", err=True)
    for stored in copied.missing[:_LISTED]:
        click.echo(f"Missing: region {stored.region}, store {stored.place}, key {stored.key}.", err=True)
    if copied.missing:
        click.echo(f"{len(copied.missing)} files are missing or have a wrong size: ecl serve check.", err=True)
        sys.exit(DAMAGE_LEFT)
