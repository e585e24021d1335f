"""
Compare what the tables say that a project uses with what its images are, and put it right.

They differ only by a fault: after an older release has served another region of a database whose schema is newer, or
after rows were changed by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, union_all, update

from ecl.server.db.engine import Database
from ecl.server.db.schema import image_locations, images, live, project_usage, store_usage
from ecl.server.db.usage import add_stored, add_usage
from ecl.server.domain.status import COUNTED, STAGED

__all__ = ["Drift", "next_owner", "recount", "recount_all"]

_NAMES = (*COUNTED, "staged_bytes")


@dataclass(frozen=True, slots=True)
class Drift:
    """What a project uses in truth, less what the tables say."""

    region: str
    #: Empty for images without owner.
    owner: str
    #: Columns of `project_usage` to differences.
    sums: Mapping[str, int] = field(default_factory=dict)
    #: Stores to differences in bytes.
    stores: Mapping[str, int] = field(default_factory=dict)
    #: What the tables say.
    told: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        found = [f"{name} {amount:+d}" for name, amount in self.sums.items()]
        return ", ".join([*found, *(f"bytes in {store} {amount:+d}" for store, amount in self.stores.items())])


def recount(database: Database, region: str, owner: str) -> Drift | None:
    """
    Count the images of a project, and correct what the tables say. Return what was wrong, None if nothing was.

    Nobody is kept waiting while the images are counted: the difference is found in one state of the database, and then
    added. If the tables have changed meanwhile, nothing is done; the next time will do.
    """
    with database.read() as connection:
        drift = _drift(connection, region, owner)
    if drift is None:
        return None
    with database.write() as connection:
        return drift if _correct(connection, drift) else None


def recount_all(database: Database, region: str) -> list[Drift]:
    """Recount every project of *region*; see `recount`."""
    found = []
    owner: str | None = None
    while (owner := next_owner(database, region, owner)) is not None:
        if (drift := recount(database, region, owner)) is not None:
            found.append(drift)
    return found


def next_owner(database: Database, region: str, after: str | None) -> str | None:
    """Return the project after *after* that has images, or sums, in *region*; None after the last one."""
    if after is None:
        return ""
    owned = select(images.c.owner).where(images.c.region == region, images.c.owner > after, live)
    told = select(project_usage.c.owner).where(project_usage.c.region == region, project_usage.c.owner > after)
    firsts = [query.order_by(query.selected_columns[0]).limit(1).subquery() for query in (owned, told)]
    both = union_all(*(select(first.c.owner) for first in firsts)).subquery()
    with database.read() as connection:
        found: str | None = connection.execute(select(func.min(both.c.owner))).scalar()
    return found


def _drift(connection: Connection, region: str, owner: str) -> Drift | None:
    told = _told(connection, region, owner)
    sums, stores = _truth(connection, region, owner)
    told_sums = {name: told.get(name, 0) for name in _NAMES}
    told_stores = {name.removeprefix("store "): amount for name, amount in told.items() if name.startswith("store ")}
    wrong_sums = {name: sums[name] - told_sums[name] for name in _NAMES if sums[name] != told_sums[name]}
    wrong_stores = {
        store: stores.get(store, 0) - told_stores.get(store, 0)
        for store in sorted({*stores, *told_stores})
        if stores.get(store, 0) != told_stores.get(store, 0)
    }
    return Drift(region, owner, wrong_sums, wrong_stores, told) if wrong_sums or wrong_stores else None


def _told(connection: Connection, region: str, owner: str) -> dict[str, int]:
    """Return what the tables say: columns of `project_usage`, and "store NAME"."""
    row = connection.execute(select(project_usage).where(*_of(project_usage.c, region, owner))).first()
    told = {} if row is None else {name: row._mapping[name] for name in _NAMES}
    stores = select(store_usage.c.store, store_usage.c.bytes).where(*_of(store_usage.c, region, owner))
    return told | {f"store {store}": amount for store, amount in connection.execute(stores)}


def _truth(connection: Connection, region: str, owner: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return what the project's images are in sum, and their bytes in each store."""
    sums, stores = dict.fromkeys(_NAMES, 0), Counter[str]()
    # Not one query with "or", for which SQLite would read the whole region.
    for owned in [images.c.owner.is_(None), images.c.owner == ""] if owner == "" else [images.c.owner == owner]:
        _add_truth(connection, (images.c.region == region, owned, live), sums, stores)
    return sums, stores


def _add_truth(
    connection: Connection, mine: tuple[ColumnElement[bool], ...], sums: dict[str, int], stores: dict[str, int]
) -> None:
    staged = func.sum(case((images.c.status.in_(STAGED), func.coalesce(images.c.size, 0)), else_=0))
    # Grouped by an expression: SQLite would rather read a whole index in the order of the groups than a part of one.
    status = func.coalesce(images.c.status, images.c.status)
    for name, count, size in connection.execute(select(status, func.count(), staged).where(*mine).group_by(status)):
        sums[name] += count
        sums["staged_bytes"] += int(size)
    # An outer join, because SQLite begins that with the images, and any other one with all locations.
    of_image = (image_locations.c.region == images.c.region) & (image_locations.c.image_id == images.c.id)
    store = func.coalesce(image_locations.c.store, image_locations.c.store)
    stored = (
        select(store, func.coalesce(func.sum(images.c.size), 0))
        .select_from(images)
        .outerjoin(image_locations, of_image)
        .where(*mine)
        .group_by(store)
    )
    for name, size in connection.execute(stored):
        if name is not None:
            stores[name] += int(size)


def _correct(connection: Connection, drift: Drift) -> bool:
    """Add the difference, unless the tables say something else by now."""
    # This locks the project; all who change its sums wait.
    held = update(project_usage).where(*_of(project_usage.c, drift.region, drift.owner))
    connection.execute(held.values(staged_bytes=project_usage.c.staged_bytes))
    if _told(connection, drift.region, drift.owner) != drift.told:
        return False
    if drift.sums:
        add_usage(connection, drift.region, drift.owner, drift.sums)
    for store, amount in drift.stores.items():
        add_stored(connection, drift.region, drift.owner, store, amount)
    return True


def _of(columns: Any, region: str, owner: str) -> tuple[Any, Any]:  # Any: a table's columns and conditions on them
    return columns.region == region, columns.owner == owner
