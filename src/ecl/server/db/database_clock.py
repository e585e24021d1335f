"""The database's clock: leases are measured by it, so processes on several hosts agree on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["database_now"]


class database_now(FunctionElement[int]):
    """The time of the statement in microseconds since the epoch, by the database's clock."""

    type = BigInteger()
    inherit_cache = True


# Any: SQLAlchemy's compilers have no type that fits both databases.
@compiles(database_now, "sqlite")
def _sqlite(_element: database_now, _compiler: Any, **_options: Any) -> str:
    # Milliseconds are all that a Julian day resolves.
    return "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"


@compiles(database_now, "postgresql")
def _postgresql(_element: database_now, _compiler: Any, **_options: Any) -> str:
    # Unlike now(), it goes on within a transaction, which may have waited for its turn.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
