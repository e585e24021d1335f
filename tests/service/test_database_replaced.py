"""The database is removed, or replaced by another one, while the service runs."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from ecl.testing import ImageService
from support.region_service import poll


@pytest.fixture
def service() -> Iterator[ImageService]:
    """A service on SQLite."""
    with ImageService(("jp1",), database_url=None, node_lease=1) as running:
        yield running


class Caller:
    """A client that tries nothing twice."""

    def __init__(self, service: ImageService) -> None:
        self._url = service.url
        self._headers = {"X-Auth-Token": service.connect().session.get_token() or ""}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request."""
        return requests.request(method, self._url + path, headers=self._headers, timeout=60, **options)

    def create(self) -> requests.Response:
        """Create an image."""
        return self.call("POST", "/image/jp1/v2/images", json={"name": "x"})

    def ready(self) -> tuple[int, str]:
        """Return status and body of ``/readyz``."""
        answer = requests.get(f"{self._url}/readyz", timeout=60)
        return answer.status_code, answer.text


def _move(folder: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in folder.glob("ecl.db*"):
        if not path.name.endswith(".lock"):
            path.rename(target / path.name)


def test_a_removed_database_fails_at_once(service: ImageService, tmp_path: Path) -> None:
    """Writes, reads, logins and readiness fail at once, nothing is made anew, and all recovers with the file."""
    caller = Caller(service)
    assert (caller.create().status_code, caller.ready()[0]) == (201, 200)
    _move(service.data_dir, tmp_path / "away")

    for answer in (caller.create(), caller.call("GET", "/image/jp1/v2/images")):
        assert (answer.status_code, "removed or replaced" in answer.text) == (503, True)
    assert caller.ready()[0] == 503
    assert caller.call("GET", "/healthcheck").status_code == 200
    assert not (service.data_dir / "ecl.db").exists()
    told = [line for line in service.log.splitlines() if "is not the one of the start any more" in line]
    assert (len(told), str(service.data_dir / "ecl.db") in told[0]) == (1, True)

    _move(tmp_path / "away", service.data_dir)
    assert (caller.create().status_code, caller.ready()[0]) == (201, 200)
    assert "is the right one again" in service.log


def test_another_file_in_its_place(service: ImageService, tmp_path: Path) -> None:
    """A copy of the database in its place is not taken for it."""
    caller = Caller(service)
    shutil.copy(service.data_dir / "ecl.db", tmp_path / "ecl.db")
    (tmp_path / "ecl.db").replace(service.data_dir / "ecl.db")

    assert caller.create().status_code == 503
    assert caller.ready()[0] == 503


def test_another_content_in_the_same_file(service: ImageService) -> None:
    """A database of another identity in the same file is found by readiness, and by the next renewal of the lease."""
    caller = Caller(service)
    with closing(sqlite3.connect(service.data_dir / "ecl.db", isolation_level=None)) as connection:
        connection.execute("UPDATE database_identity SET id = 'd4fdb1f2-0000-4000-8000-000000000000'")

    assert caller.ready()[0] == 503
    assert caller.create().status_code == 503


def test_threads_wait_quietly(service: ImageService, tmp_path: Path) -> None:
    """Whoever waits for the database says so in one line, without a traceback."""
    _move(service.data_dir, tmp_path / "away")
    waiting = ("the lease of this process", "the reaper", "importer", "replicator")
    poll(lambda: all(f"{who} waits for the database" in service.log for who in waiting))
    _move(tmp_path / "away", service.data_dir)
    poll(lambda: all(f"{who} goes on" in service.log for who in waiting))

    assert "Traceback" not in service.log
    assert [service.log.count(f"{who} waits for the database") for who in waiting] == [1] * 4
