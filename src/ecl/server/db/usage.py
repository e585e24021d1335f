"""
What a project uses of a region, and whether its quotas allow more.

The sums are kept in the tables `project_usage` and `store_usage`: each transaction that changes an image changes them
with it. A transaction locks rows in one order: the image, then its project, then the project's stores.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, select, text

from ecl.server.db.schema import garbage, project_usage, store_usage
from ecl.server.domain.quota import Usage, check_usage, has_quotas
from ecl.server.domain.status import COUNTED, IMPORTING, SAVING, STAGED, UPLOADING
from ecl.server.settings.model import ImageLimits

__all__ = [
    "add_stored",
    "add_usage",
    "check_quota",
    "counted",
    "move_usage",
    "stored_change",
    "usage_for_quotas",
    "usage_of",
]

_NAMES = (*COUNTED, "staged_bytes")
# As text, because SQLAlchemy has a construct of its own for each database; both read the same words. The same
# statement adds to a row and makes it.
_ADD = text(
    "INSERT INTO project_usage "
    "(region, owner, queued, saving, uploading, importing, active, deactivated, staged_bytes) "
    "VALUES (:region, :owner, :queued, :saving, :uploading, :importing, :active, :deactivated, :staged_bytes) "
    "ON CONFLICT (region, owner) DO UPDATE SET queued = project_usage.queued + excluded.queued, "
    "saving = project_usage.saving + excluded.saving, uploading = project_usage.uploading + excluded.uploading, "
    "importing = project_usage.importing + excluded.importing, active = project_usage.active + excluded.active, "
    "deactivated = project_usage.deactivated + excluded.deactivated, "
    "staged_bytes = project_usage.staged_bytes + excluded.staged_bytes"
)
_ADD_STORED = text(
    "INSERT INTO store_usage (region, owner, store, bytes) VALUES (:region, :owner, :store, :bytes) "
    "ON CONFLICT (region, owner, store) DO UPDATE SET bytes = store_usage.bytes + excluded.bytes"
)
_STORED_CHANGE = text(
    "INSERT INTO store_usage (region, owner, store, bytes) "
    "SELECT region, COALESCE(owner, ''), :store, COALESCE(size, 0) * :sign FROM images "
    "WHERE region = :region AND id = :image_id "
    "ON CONFLICT (region, owner, store) DO UPDATE SET bytes = store_usage.bytes + excluded.bytes"
)
# Built once, because building a query takes many times longer than running it.
_STORED = (
    select(func.coalesce(func.sum(store_usage.c.bytes), 0))
    .where(store_usage.c.region == bindparam("region"), store_usage.c.owner == bindparam("owner"))
    .scalar_subquery()
)
#: Staged data that is out of use, and still there.
_LEFT = (
    select(func.coalesce(func.sum(garbage.c.size), 0))
    .where(garbage.c.region == bindparam("region"), garbage.c.owner == bindparam("owner"))
    .scalar_subquery()
)
_SUMS = (*(project_usage.c[name] for name in _NAMES), _STORED.label("stored_bytes"), _LEFT.label("left_bytes"))
_USAGE = select(*_SUMS).where(
    project_usage.c.region == bindparam("region"), project_usage.c.owner == bindparam("owner")
)


# --- keeping the sums -----------------------------------------------------------------------------------------


def counted(status: str, size: int | None) -> dict[str, int]:
    """Return what an image adds to its project: columns of `project_usage` to amounts."""
    if status not in COUNTED:
        return {}
    return {status: 1, "staged_bytes": (size or 0) if status in STAGED else 0}


def add_usage(connection: Connection, region: str, owner: str | None, more: Mapping[str, int]) -> None:
    """Add to the sums of a project: columns of `project_usage` to amounts, which may be negative."""
    values = {name: more.get(name, 0) for name in _NAMES}
    connection.execute(_ADD, {"region": region, "owner": owner or "", **values})


def move_usage(
    connection: Connection,
    region: str,
    before: tuple[str | None, str, int | None],
    after: tuple[str | None, str, int | None],
) -> None:
    """Count an image whose owner, status or size changes; each is such a triple. Its stores are not counted here."""
    amounts: dict[str, dict[str, int]] = {}
    for sign, (owner, status, size) in ((-1, before), (1, after)):
        of_owner = amounts.setdefault(owner or "", {})
        for name, amount in counted(status, size).items():
            of_owner[name] = of_owner.get(name, 0) + sign * amount
    # Sorted: two transactions that each change both projects must not wait for each other.
    for owner in sorted(amounts):
        if any(amounts[owner].values()):
            add_usage(connection, region, owner, amounts[owner])


def add_stored(connection: Connection, region: str, owner: str | None, store: str, more: int) -> None:
    """Add *more* bytes, which may be negative, to what a project has in *store*."""
    if more:
        connection.execute(_ADD_STORED, {"region": region, "owner": owner or "", "store": store, "bytes": more})


def stored_change(connection: Connection, region: str, image_id: str, store: str, sign: int) -> None:
    """Count that *store* has the data of an image from now on (*sign* is 1), or no longer (-1)."""
    connection.execute(_STORED_CHANGE, {"region": region, "image_id": image_id, "store": store, "sign": sign})


# --- quotas ---------------------------------------------------------------------------------------------------


def usage_of(connection: Connection, region: str, owner: str | None) -> Usage:
    """Return what the images of *owner* use; an image without owner counts for no project."""
    row = None if owner is None else connection.execute(_USAGE, {"region": region, "owner": owner}).first()
    if row is None:
        return Usage(0, 0, 0, 0)
    sums = row._mapping
    return Usage(
        image_size_total=int(sums["stored_bytes"]),
        image_stage_total=sums["staged_bytes"] + int(sums["left_bytes"]),
        image_count_total=sum(sums[status] for status in COUNTED),
        image_count_uploading=sums[SAVING] + sums[UPLOADING] + sums[IMPORTING],
    )


def usage_for_quotas(connection: Connection, region: str, owner: str | None, limits: ImageLimits) -> Usage:
    """Return what the images of *owner* use; zeros, without asking the database, if the settings set no quota."""
    return usage_of(connection, region, owner if has_quotas(limits) else None)


def check_quota(
    connection: Connection, region: str, owner: str | None, limits: ImageLimits, name: str, more: int
) -> None:
    """
    Raise TooLarge if *more* exceeds the quota *name* of the project *owner*.

    What is in use stays so until the end of the transaction, because the project is locked. If the transaction also
    changes an image, it locks the image before this.

    Args:
        name: A field of `Usage`.
        more: Images or bytes to add to what the project uses.
    """
    if owner is None or getattr(limits, name) < 0:
        return
    # This locks the project's row, and makes it where there is none.
    add_usage(connection, region, owner, {})
    check_usage(limits, usage_of(connection, region, owner), name, more)
