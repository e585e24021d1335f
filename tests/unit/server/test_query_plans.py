"""What SQLite reads of a large database: parts of indexes, never a whole table of images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from ecl.server.data.node import Node
from ecl.server.data.reaper import Reaper
from ecl.server.data.region import open_regions
from ecl.server.db.engine import Database
from ecl.server.db.listing import list_images
from ecl.server.db.recount import recount_all
from ecl.server.domain.caller import Caller
from ecl.server.domain.listing import parse_list_query
from ecl.server.http.metrics import database_text
from ecl.server.settings.model import ImageLimits, RegionSettings, Settings

#: A step of SQLite's plan that reads all of a table, or all that a region has of it; damaged copies are few.
WHOLE = re.compile(
    r"SCAN image(?!_locations USING INDEX ix_image_locations_damaged)|SEARCH image.*\(region=\?( AND os_hidden=\?)?\)"
)
#: A filter of each kind that stock clients have.
FILTERS = [
    ("name", "x"),
    ("owner", "x"),
    ("status", "queued"),
    ("tag", "x"),
    ("os_distro", "x"),
    ("checksum", "x"),
    ("os_hash_value", "x"),
    ("size_min", "1"),
    ("created_at", "gt:2025-05-01T00:00:00Z"),
    ("updated_at", "gt:2025-05-01T00:00:00Z"),
]
ADMIN = Caller("u", "p", "jp1", frozenset({"admin"}))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    with closing(Database(f"sqlite:///{tmp_path}/ecl.db")) as made:
        made.prepare()
        yield made


def test_a_start_and_the_metrics_read_no_whole_table(tmp_path: Path, database: Database) -> None:
    """Taking over, cleaning up, recounting a project and showing the metrics all find their rows by an index."""
    regions = open_regions(Settings(data_dir=tmp_path, regions=(RegionSettings("jp1"),)), database)
    node = Node(database, 60)
    node.register()
    with database.write() as connection:
        connection.execute(text("INSERT INTO project_usage VALUES ('jp1', 'someone', 0, 0, 0, 0, 0, 0, 0)"))
    run = _recorded(database)
    reaper = Reaper(database, regions, node)
    reaper.take_over()
    reaper.clean_up()
    recount_all(database, "jp1")
    database_text(database)
    _check_plans(database, run)


@pytest.mark.parametrize("parameter", FILTERS)
def test_a_filter_finds_its_images_by_an_index(database: Database, parameter: tuple[str, str]) -> None:
    """Images that meet a filter are counted by an index that knows it; where there are none, nothing else is read."""
    run = _recorded(database)
    query = parse_list_query([parameter], ImageLimits())
    with database.read() as connection:
        assert list_images(connection, "jp1", ADMIN, query, None) == []

    _check_plans(database, run)


def _recorded(database: Database) -> list[tuple[str, Any]]:
    """Return a list to which every statement is added from now on, with its parameters."""
    run: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        run.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", keep)
    return run


def _check_plans(database: Database, run: list[tuple[str, Any]]) -> None:
    of_images = [(statement, parameters) for statement, parameters in run if "image" in statement]
    assert of_images
    with database.read() as connection:
        for statement, parameters in of_images:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if WHOLE.match(step)], (statement, plan)
