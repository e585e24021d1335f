"""The scrub finds and repairs damage by itself, in one process at a time, and goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from ecl.server.data.node import Node
from ecl.server.data.store.folder import FolderStore
from ecl.server.db.chores import begin_chore, end_round, keep_chore, release_chore
from ecl.server.db.engine import Database
from ecl.testing import ImageService
from support.damage import fill, flip_bit, keys_of
from support.region_service import poll

#: `make damage` takes more.
COUNT = int(os.environ.get("DAMAGED_IMAGES", "100"))
FAST = 1 << 30


def _service(folder: Path, **upkeep: Any) -> ImageService:
    regions = ({"name": "jp1", "stores": [{"name": "one"}, {"name": "two"}]},)
    settings = {"node_lease": 4, "metrics_networks": ["127.0.0.0/8"], "upkeep": upkeep}
    return ImageService(regions, data_dir=folder, **settings)


def _stores(service: ImageService) -> list[FolderStore]:
    return [FolderStore(service.data_dir / "images" / "jp1" / name, name) for name in ("one", "two")]


def _fill(service: ImageService, count: int) -> dict[str, bytes]:
    return fill(service.database, "jp1", _stores(service), service.credentials("jp1")["project_id"], count)


def _metric(service: ImageService, name: str) -> int:
    lines = requests.get(f"{service.url}/metrics", timeout=60).text.splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def _chore(service: ImageService) -> tuple[Any, ...]:
    query = text("SELECT position, lease_owner, started_at FROM chores WHERE name = 'scrub'")
    with service.database.read() as connection:
        row = connection.execute(query).first()
    return (None, None, None) if row is None else tuple(row)


def test_flipped_bits_are_found_and_repaired(tmp_path: Path) -> None:
    """All damage in two stores is repaired by itself; the metrics count it, and downloads are right."""
    with _service(tmp_path) as service:
        images = _fill(service, COUNT)
        for number, image_id in enumerate(images):
            store = ("one", "two")[number % 2]
            flip_bit(tmp_path / "images" / "jp1" / store / keys_of(service.database, image_id)[store], number)
    with _service(tmp_path, scrub_rate=FAST) as service:
        poll(lambda: _metric(service, "ecl_scrub_repaired_total") == COUNT)
        poll(lambda: _chore(service)[:2] == (None, None))
        assert _metric(service, "ecl_scrub_damaged_total") == COUNT
        assert _metric(service, "ecl_scrub_read_bytes_total") >= 2 * sum(map(len, images.values()))
        assert _metric(service, "ecl_damaged_copies") == 0
        for image_id, data in images.items():
            for store, key in keys_of(service.database, image_id).items():
                assert (tmp_path / "images" / "jp1" / store / key).read_bytes() == data


def test_it_is_off_by_default(tmp_path: Path) -> None:
    """Without the setting nothing is read."""
    with _service(tmp_path) as service:
        _fill(service, 1)
        assert _metric(service, "ecl_scrub_read_bytes_total") == 0
        assert _chore(service) == (None, None, None)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A stopped round keeps its position, and the next process begins behind it."""
    with _service(tmp_path) as service:
        images = _fill(service, 4)
    # The first copy of all takes longer than the test.
    with _service(tmp_path, scrub_rate=1) as service:
        poll(lambda: _metric(service, "ecl_scrub_read_bytes_total") > 0)
        assert _chore(service)[1] is not None
    first, second = sorted(images)[:2]
    with _service(tmp_path) as service:
        assert _chore(service)[:2] == ("", None)
        for image_id in (first, second):
            flip_bit(tmp_path / "images" / "jp1" / "one" / keys_of(service.database, image_id)["one"])
        with service.database.write() as connection:
            position = json.dumps(["jp1", first, "two"])
            connection.execute(text("UPDATE chores SET position = :position"), {"position": position})
    with _service(tmp_path, scrub_rate=FAST) as service:
        poll(lambda: _chore(service)[0] is None)
        assert _metric(service, "ecl_scrub_repaired_total") == 1


def test_a_round_begins_when_it_is_due(tmp_path: Path) -> None:
    """The next round begins after the interval, not at once."""
    with _service(tmp_path, scrub_rate=FAST) as service:
        images = _fill(service, 1)
        poll(lambda: _chore(service)[2] is not None and _chore(service)[0] is None)
        begun = _chore(service)[2]
        (image_id,) = images
        path = tmp_path / "images" / "jp1" / "one" / keys_of(service.database, image_id)["one"]
        flip_bit(path)
        with service.database.write() as connection:
            connection.execute(text("UPDATE chores SET started_at = started_at - 7 * 86400 * CAST(1000000 AS BIGINT)"))
        poll(lambda: _metric(service, "ecl_scrub_repaired_total") == 1)
        assert _chore(service)[2] >= begun


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Database, str, str]]:
    """A database, and the IDs of two processes."""
    with _service(tmp_path) as service:
        yield service.database, Node(service.database, 1).id, Node(service.database, 1).id


def test_one_process_has_it(nodes: tuple[Database, str, str]) -> None:
    """A chore that one process has is refused to others until it gives it back or its lease expires."""
    database, one, other = nodes
    minute, hour = 60_000_000, 3_600_000_000
    with database.write() as connection:
        assert begin_chore(connection, "scrub", one, minute, hour) == ""
        assert begin_chore(connection, "scrub", other, minute, hour) is None
        assert keep_chore(connection, "scrub", one, minute, "here")
        assert not keep_chore(connection, "scrub", other, minute, "there")
        release_chore(connection, "scrub", one)
        assert begin_chore(connection, "scrub", other, -1, hour) == "here"
        assert not keep_chore(connection, "scrub", other, minute)
        assert begin_chore(connection, "scrub", one, minute, hour) == "here"
        end_round(connection, "scrub", one)
        assert begin_chore(connection, "scrub", one, minute, hour) is None
        assert begin_chore(connection, "scrub", one, minute, 0) == ""
