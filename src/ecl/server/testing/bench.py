"""Assembles what tests may do to a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.types import ASGIApp

from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.settings.model import Settings
from ecl.server.testing.door import build_door
from ecl.server.testing.faults import Faults
from ecl.server.testing.injector import Injector
from ecl.server.testing.journal import Journal
from ecl.server.testing.projects import Projects

__all__ = ["under_test"]


def under_test(
    app: ASGIApp,
    settings: Settings,
    database: Database,
    regions: Sequence[Region],
    purge: Callable[[Callable[[], bool]], None],
) -> ASGIApp:
    """
    Return the service *app* with ``/testing`` and faults.

    Args:
        regions: The regions that this process serves, opened.
        purge: See `build_door`.
    """
    faults, journal = Faults(), Journal()
    door = build_door(settings, faults, journal, Projects(settings, database, regions), purge)
    return Injector(app, faults, journal, door)
