"""``ecl serve check``: compare the database with the stores, repair damaged images, remove unknown files by name."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecl.cli.serve._service import chosen_regions, opened, print_table, service_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ecl.server.data.checks.check import Check, Outcome
    from ecl.server.data.region import Region
    from ecl.server.data.store.base import Store, Stored
    from ecl.server.db.engine import Database
    from ecl.server.settings.model import Settings

__all__ = ["DAMAGE_LEFT", "check"]

#: Exit code if data is damaged, or could not be compared.
DAMAGE_LEFT = 3


class _Place(click.ParamType[tuple[str, str]]):
    """STORE:KEY, as the check lists unknown files."""

    name = "STORE:KEY"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        from ecl.server.domain.ids import is_uuid

        store, _, key = str(value).rpartition(":")
        if not store or not is_uuid(key):
            self.fail(f"{str(value)!r} is not STORE:KEY as `ecl serve check` lists it; a key is a UUID.", param, ctx)
        return store, key


@click.command()
@click.option("--hashes", is_flag=True, help="Read all data and compare its hash; otherwise compare sizes only.")
@click.option("--repair", is_flag=True, help="Repair damaged copies from good ones; stop serving the others.")
@click.option("--region", "regions", multiple=True, metavar="NAME", help="Check this region; repeatable.  [all served]")
@click.option("--remove-unknown", "doomed", type=_Place(), multiple=True, help="Remove this unknown file; repeatable.")
@click.option("--accept-empty", "empty", metavar="STORE", help="Accept the empty folder of STORE; its data is lost.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("-f", "--format", "form", type=click.Choice(["table", "json"]), default="table", help="Output format.")
@service_options
@click.pass_context
def check(
    ctx: click.Context,
    hashes: bool,
    repair: bool,
    regions: tuple[str, ...],
    doomed: tuple[tuple[str, str], ...],
    empty: str | None,
    yes: bool,
    form: str,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """
    Compare the database with the stores, also while the service runs.

    Every image must have its data in each of its stores, and every file a row. Without --repair nothing is changed.
    Files that the database does not know are listed; --remove-unknown removes one of them. The exit code is 3 if
    damage is left, or a store could not be checked.
    """
    if (bool(doomed) + bool(empty) + (hashes or repair)) > 1:
        raise click.UsageError("Use --remove-unknown, --accept-empty, or --hashes and --repair, not two of them.")
    with opened(ctx, data_dir, config) as (database, settings):
        from ecl.server.data.region import open_existing
        from ecl.server.data.store.base import StoreError

        opened_regions = open_existing(settings, names=chosen_regions(settings, regions))
        try:
            if doomed:
                _remove(database, opened_regions, doomed, yes=yes)
                return
            if empty is not None:
                _accept_empty(database, opened_regions, empty, yes=yes)
                return
            found = _check(database, settings, opened_regions, hashes=hashes, repair=repair)
        except StoreError as exc:
            raise click.ClickException(f"The store cannot be used: {exc}.") from exc
    _show(found, form)
    if found["unchecked"] or any(entry["state"] in ("damaged", "marked") for entry in found["damaged"]):
        sys.exit(DAMAGE_LEFT)


def _check(
    database: Database, settings: Settings, regions: Sequence[Region], *, hashes: bool, repair: bool
) -> dict[str, Any]:
    from ecl.server.data.checks.check import Check
    from ecl.server.data.node import Node

    node = Node(database, settings.node_lease) if repair else None
    run = Check(database, regions, hashes=hashes, node=node)
    if node is None:
        outcomes = list(run.run())
    else:
        with node.alive():
            outcomes = list(run.run())
    return _report(run, outcomes, list(_unknown(database, regions, run)))


def _unknown(database: Database, regions: Sequence[Region], run: Check) -> Iterator[tuple[str, str, Stored]]:
    """Yield region, store and each unknown file; a store that cannot be listed becomes unchecked."""
    from ecl.server.data.removal import known_in
    from ecl.server.data.store.base import StoreError
    from ecl.server.data.store.unknown import unknown_in

    for region, store in _places(regions):
        place = region.place_of(store)
        if (region.name, place) in run.unchecked:
            continue
        try:
            for data in unknown_in(store, known_in(database, region, store)):
                yield region.name, place, data
        except StoreError as exc:
            run.unchecked[region.name, place] = str(exc)


def _places(regions: Sequence[Region]) -> Iterator[tuple[Region, Store]]:
    for region in regions:
        # What only is read here is somebody else's.
        for store in region.places:
            if not store.read_only:
                yield region, store


def _report(run: Check, outcomes: Sequence[Outcome], unknown: Sequence[tuple[str, str, Stored]]) -> dict[str, Any]:
    return {
        "copies": run.copies,
        "bytes_read": run.bytes,
        "damaged": [
            {
                "region": outcome.copy.region,
                "image_id": outcome.copy.image_id,
                "store": outcome.copy.store,
                "key": outcome.copy.key,
                "problem": outcome.problem,
                "state": outcome.state,
            }
            for outcome in outcomes
        ],
        "unchecked": [
            {"region": region, "store": store, "copies": run.unchecked_copies[region, store], "reason": reason}
            for (region, store), reason in sorted(run.unchecked.items())
        ],
        "unknown": [
            {
                "region": region,
                "store": store,
                "key": data.key,
                "file": data.name,
                "bytes": data.size,
                "age_seconds": max(0, int(time.time() - data.modified)),
            }
            for region, store, data in unknown
        ],
    }


def _show(found: dict[str, Any], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(found, indent=2))
        return
    for name in ("damaged", "unchecked", "unknown"):
        entries = found[name]
        if entries:
            heads = {"damaged": "Damaged copies:", "unchecked": "Not checked:", "unknown": "Unknown files:"}
            click.echo(heads[name])
            rows = [["" if value is None else str(value) for value in entry.values()] for entry in entries]
            print_table([key.replace("_", " ").upper() for key in entries[0]], rows)
    counts = [f"{len(found[name])} {what}" for name, what in (("damaged", "damaged"), ("unknown", "unknown files"))]
    click.echo(f"Checked {found['copies']} copies, read {found['bytes_read']} bytes: {', '.join(counts)}.", err=True)


def _remove(database: Database, regions: Sequence[Region], doomed: Sequence[tuple[str, str]], *, yes: bool) -> None:
    """Remove unknown files, all or none of them."""
    from ecl.server.data.removal import remove_unknown

    found = [_unknown_file(database, regions, place, key) for place, key in doomed]
    for region, store, data in found:
        click.echo(f"region {region.name}, store {region.place_of(store)}: {data.name}, {data.size} bytes", err=True)
    _ask(f"Remove {'this file' if len(found) == 1 else f'these {len(found)} files'} for ever?", yes=yes)
    for region, store, data in found:
        if not remove_unknown(region, database, store, data.key):
            raise click.ClickException(f"The database knows {data.key} by now: it was not removed.")
        click.echo(f"Removed {data.key}.", err=True)


def _accept_empty(database: Database, regions: Sequence[Region], name: str, *, yes: bool) -> None:
    """Mark the folder of a store that has no marker."""
    from ecl.server.db.database_id import database_id

    found = [(region, store) for region, store in _places(regions) if region.place_of(store) == name]
    if not found:
        raise click.UsageError(f"There is no store {name!r} that could be empty.")
    without = [(region, store) for region, store in found if not store.has_mark]
    if len(without) != 1:
        what = "No region has a store of that name without its marker" if not without else "Several regions have one"
        raise click.UsageError(f"{what}: name the region with --region.")
    ((region, store),) = without
    _ask(f"Give up all data of the store {name} of region {region.name} that is not in its folder?", yes=yes)
    with database.read() as connection:
        identity = database_id(connection)
    store.claim(identity, region.name)
    click.echo("Accepted. `ecl serve check --repair` makes copies of images that other stores have.", err=True)


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask for a confirmation: use --yes.")
    click.confirm(question, abort=True)


def _unknown_file(database: Database, regions: Sequence[Region], place: str, key: str) -> tuple[Region, Store, Stored]:
    from ecl.server.data.removal import known_in
    from ecl.server.data.store.unknown import unknown_in

    places = [(region, store) for region, store in _places(regions) if region.place_of(store) == place]
    if not places:
        raise click.UsageError(f"There is no store {place!r} that could hold unknown files.")
    for region, store in places:
        for data in unknown_in(store, known_in(database, region, store)):
            if data.key == key:
                return region, store, data
    raise click.UsageError(f"There is no unknown file {key} in the store {place}.")
