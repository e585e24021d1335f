"""What the database says about a file that a start finds: dead, known, or neither."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecl.server.db.engine import Database
from ecl.server.db.leftovers import dead_and_known_keys, dead_and_known_staged_keys, unfinished_uploads
from ecl.server.db.locations import add_location
from ecl.server.db.schema import images, tasks

ID = str(uuid.uuid4())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A prepared database without images."""
    with closing(Database(f"sqlite:///{tmp_path}/x.db")) as made:
        made.prepare()
        yield made


def add_image(
    database: Database, status: str, upload_id: str | None = None, *, task: bool = False, **more: str
) -> None:
    """Add the image ID to region jp1, with an import that has something left to do if *task*."""
    times = {"created_at": 1, "updated_at": 1}
    with database.write() as connection:
        values = {"region": "jp1", "id": ID, "status": status, "visibility": "private", "upload_id": upload_id}
        connection.execute(insert(images).values(**values, **more, **times))
        if task:
            values = {"id": "t", "region": "jp1", "type": "import", "status": "pending", "image_id": ID, "input": "{}"}
            connection.execute(insert(tasks).values(**values, **times))


def word(answer: tuple[frozenset[str], frozenset[str]]) -> str:
    """Say what the sweep does with the file."""
    dead, known = answer
    return "removed" if ID in dead else "kept" if ID in known else "reported"


@pytest.mark.parametrize(
    ("status", "upload_id", "task", "in_store", "in_staging"),
    [
        ("queued", None, False, "reported", "reported"),
        ("queued", None, True, "kept", "kept"),
        ("saving", "u", False, "removed", "removed"),
        ("uploading", "u", False, "reported", "removed"),
        ("uploading", None, False, "reported", "kept"),
        ("importing", None, True, "kept", "kept"),
        ("active", None, False, "reported", "removed"),
        ("active", None, True, "kept", "kept"),
        ("deactivated", None, False, "reported", "removed"),
        ("deleted", None, False, "reported", "removed"),
    ],
)
def test_file_without_a_location(
    database: Database, status: str, upload_id: str | None, task: bool, in_store: str, in_staging: str
) -> None:
    """Bytes of an unfinished upload go from a store; from staging, those of deleted and of imported images, too."""
    add_image(database, status, upload_id, task=task)

    with database.read() as connection:
        assert word(dead_and_known_keys(connection, "jp1", "folder", [ID])) == in_store
        assert word(dead_and_known_staged_keys(connection, "jp1", [ID])) == in_staging
        assert word(dead_and_known_keys(connection, "jp2", "folder", [ID])) == "reported"
        assert word(dead_and_known_staged_keys(connection, "jp2", [ID])) == "reported"


@pytest.mark.parametrize("task", [False, True])
def test_file_of_a_deleted_image_that_had_bytes(database: Database, task: bool) -> None:
    """A deleted image that has had bytes needs them no longer."""
    add_image(database, "deleted", task=task, checksum="0" * 32)

    with database.read() as connection:
        assert word(dead_and_known_keys(connection, "jp1", "folder", [ID])) == "removed"
        assert word(dead_and_known_staged_keys(connection, "jp1", [ID])) == "removed"
        assert word(dead_and_known_keys(connection, "jp2", "folder", [ID])) == "reported"


@pytest.mark.parametrize("status", ["active", "deactivated", "deleted", "importing", "saving"])
def test_file_with_a_location(database: Database, status: str) -> None:
    """Where a store has a location, its file is known, and the location says what becomes of it."""
    add_image(database, status)
    with database.write() as connection:
        add_location(connection, "jp1", ID, "folder")

    with database.read() as connection:
        assert word(dead_and_known_keys(connection, "jp1", "folder", [ID])) == "kept"


def test_unfinished_uploads(database: Database) -> None:
    """The uploads that hold images of the region are unfinished."""
    add_image(database, "saving", "u")

    with database.read() as connection:
        assert unfinished_uploads(connection, "jp1") == {"u"}
        assert unfinished_uploads(connection, "jp2") == frozenset()
