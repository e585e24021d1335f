"""The rooms of the service: which may import which, and what must not be in them."""

from __future__ import annotations

import ast
from itertools import pairwise

import pytest

from support.import_graph import imports, modules, package_cycles, tree_of

#: The rooms of ``ecl.server`` from the ground up. A room imports from itself and from lines below its own.
FLOORS = (
    {"clock", "errors", "settings"},
    {"domain", "threads"},
    {"db"},
    {"http"},
    {"data", "identity"},
    {"jobs"},
    {"api"},
    {"testing"},
    {"app"},
    {"process"},
    {"__main__"},
)
SERVER = sorted(name for name in modules() if name.startswith("ecl.server."))


def room(name: str) -> str:
    """Return the room of a module of the service."""
    return name.split(".")[2]


def floor(name: str) -> int:
    """Return how high up the room of a module is."""
    (height,) = (height for height, rooms in enumerate(FLOORS) if room(name) in rooms)
    return height


def libraries(name: str) -> set[str]:
    """Return the top-level names that a module imports from outside the project, wherever in the module."""
    found = set()
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found


def test_every_room_has_a_floor() -> None:
    """The list of rooms is complete and names no room that is gone."""
    assert {room(name) for name in SERVER} == set().union(*FLOORS)
    assert not any(below & above for below, above in pairwise(FLOORS))


@pytest.mark.parametrize("name", SERVER)
def test_rooms_import_down(name: str) -> None:
    """A module imports from its own room and from rooms below, also where only type checkers look."""
    used = {other for other in imports(name, typing=True) if other.startswith("ecl.server.")}

    assert [other for other in used if room(other) != room(name) and floor(other) >= floor(name)] == []


def test_packages_make_no_circles() -> None:
    """No two packages of the service, or modules beside them, import each other, over however many others."""
    assert package_cycles("ecl.server") == []


def test_only_five_modules_stand_outside_a_room() -> None:
    """Everything is in a room, but for what starts, assembles, or is needed by all of them."""
    loose = {name for name in SERVER if name.count(".") == 2 and modules()[name].name != "__init__.py"}

    assert {room(name) for name in loose} == {"__main__", "app", "clock", "errors", "threads"}


@pytest.mark.parametrize("name", [name for name in SERVER if room(name) == "domain"])
def test_domain_is_free_of_http_and_sql(name: str) -> None:
    """The rules know neither requests and responses nor tables."""
    assert not libraries(name) & {"http", "starlette", "uvicorn", "sqlalchemy", "alembic", "requests"}


SQL_FREE = ("data", "jobs", "http", "identity", "api", "testing")


@pytest.mark.parametrize("name", [name for name in SERVER if room(name) in SQL_FREE])
def test_sql_is_written_in_db(name: str) -> None:
    """Only db/ and the embedded identity's own queries make SQL; others pass a connection on."""
    if name.startswith("ecl.server.identity.local."):
        return
    made = {
        alias.name
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sqlalchemy")
        for alias in node.names
    }

    assert made <= {"Connection"}
