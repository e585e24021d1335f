"""Shared by the commands below ``ecl serve``: options, the service's database, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from ecl.server.db.engine import Database
    from ecl.server.settings.model import Settings

__all__ = ["chosen_regions", "explained", "load", "opened", "opened_identity", "print_table", "service_options"]

C = TypeVar("C", bound=Callable[..., object])


def service_options(command: C) -> C:
    """Add the options that choose the service."""
    config = click.Path(dir_okay=False, path_type=Path)
    folder = click.Path(file_okay=False, path_type=Path)
    command = click.option("--config", type=config, help="TOML file with settings.")(command)
    return click.option("--data-dir", type=folder, help="Folder with the service's database and images.")(command)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the server's errors into click's: one sentence and an exit code."""
    try:
        from ecl.server.errors import ServiceError
        from ecl.server.process.start_error import StartError
        from ecl.server.settings.load import SettingsError
    except ModuleNotFoundError as exc:
        raise _missing(exc) from exc
    try:
        yield
    except SettingsError as exc:
        raise click.UsageError(str(exc)) from exc
    except (StartError, ServiceError) as exc:
        raise click.ClickException(str(exc)) from exc
    except ModuleNotFoundError as exc:
        raise _missing(exc) from exc


def load(config: Path | None, flags: Mapping[str, object], regions: Sequence[str] = ()) -> Settings:
    """Return the settings. Raises SettingsError."""
    from ecl.server.settings.load import load_settings

    return load_settings(config, flags=flags, regions=regions)


@contextmanager
def opened(ctx: click.Context, data_dir: Path | None, config: Path | None) -> Iterator[tuple[Database, Settings]]:
    """
    Yield the database of a service that was started before; it may be running.

    The command's own options override those placed directly after ``ecl serve``.
    """
    with explained():
        from sqlalchemy.exc import SQLAlchemyError

        from ecl.server.db.engine import Database
        from ecl.server.db.migrate import is_migrated
        from ecl.server.process.database import database_url

        settings = _settings(ctx, data_dir, config)
        if settings.database_url is None and not (settings.data_dir / "ecl.db").exists():
            raise click.ClickException(
                f"There is no service in {settings.data_dir} yet: start `ecl serve` once, or give its --data-dir."
            )
        database = Database(database_url(settings))
        try:
            with database.read() as connection:
                if not is_migrated(connection):
                    raise click.ClickException(
                        "The database has the schema of another release: start `ecl serve` of this release on it once."
                    )
            yield database, settings
        except SQLAlchemyError as exc:
            reason = str(getattr(exc, "orig", None) or exc).splitlines()[0]
            raise click.ClickException(f"The database cannot be used: {reason}.") from exc
        finally:
            database.close()


@contextmanager
def opened_identity(
    ctx: click.Context, data_dir: Path | None, config: Path | None
) -> Iterator[tuple[Database, Settings]]:
    """Yield what `opened` yields, to read or change users and projects, unless these are a Keystone's."""
    with explained():
        keystone = _settings(ctx, data_dir, config).keystone
    if keystone is not None:
        raise click.ClickException(
            f"Users and projects are those of the Keystone at {keystone.auth_url} ([keystone] in the settings): "
            "manage them there, for example with `openstack user create`."
        )
    with opened(ctx, data_dir, config) as found:
        yield found


def _settings(ctx: click.Context, data_dir: Path | None, config: Path | None) -> Settings:
    outer = ctx.find_object(dict) or {}
    return load(config or outer.get("config"), {"data_dir": data_dir or outer.get("data_dir")})


def chosen_regions(settings: Settings, names: Sequence[str]) -> Sequence[str]:
    """Return *names*; without any, all regions that the service serves. Raises UsageError for others."""
    served = [region.name for region in settings.regions if not region.is_remote]
    for name in names:
        if name not in served:
            raise click.UsageError(f"There is no region {name!r}; there are {', '.join(served)}.")
    return names or served


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write *rows* below *head*; each column is as wide as its longest cell."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _missing(exc: ModuleNotFoundError) -> click.ClickException:
    if exc.name is not None and exc.name.partition(".")[0] == "ecl":
        raise exc
    return click.ClickException(
        f"The service needs packages that are not installed ({exc.name}): pip install 'ecl-image[server]'"
    )
