"""What a start reads of a large database: parts of indexes, never a whole table of images."""

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
from ecl.server.db.recount import recount_all
from ecl.server.http.metrics import database_text
from ecl.server.settings.model import RegionSettings, Settings

#: A step of SQLite's plan that reads all of a table, or all that a region has of it.
WHOLE = re.compile(r"SCAN image|SEARCH image.*\(region=\?\)")


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
    run: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        run.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", keep)
    reaper = Reaper(database, regions, node)
    reaper.take_over()
    reaper.clean_up()
    recount_all(database, "jp1")
    with database.read() as connection:
        database_text(connection)
    of_images = [(statement, parameters) for statement, parameters in run if "image" in statement]

    assert len(of_images) > 3
    with database.read() as connection:
        for statement, parameters in of_images:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if WHOLE.match(step)], (statement, plan)
