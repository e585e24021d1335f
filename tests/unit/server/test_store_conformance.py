"""What every store promises; each store is a parameter of the fixture."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from pathlib import Path

import pytest

from ecl.server.data.store.base import DataMissing, Store, StoreTaken, StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.data.store.unknown import Unknown, find_unknown


@pytest.fixture(params=["folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    return FolderStore(tmp_path / "store")


def put(store: Store, data: bytes, key: str | None = None) -> str:
    """Store *data* and return its key."""
    key = key or str(uuid.uuid4())
    writer = store.writer(key)
    writer.write(data)
    writer.flush()
    writer.commit()
    return key


def nothing_known(_keys: Collection[str]) -> set[str]:
    """Answer as a database without any image does."""
    return set()


def content(store: Store, key: str) -> bytes:
    """Return the bytes under *key*."""
    reader = store.reader(key)
    try:
        return reader.read(0, reader.size + 1)
    finally:
        reader.close()


def test_bytes_come_back(store: Store) -> None:
    """Blocks are joined in order; any part can be read, and reading stops at the end."""
    key = str(uuid.uuid4())
    writer = store.writer(key)
    for block in (b"012", bytearray(b""), memoryview(b"3456789")):
        writer.write(block)
    writer.commit()
    reader = store.reader(key)
    assert reader.size == 10
    assert (reader.read(0, 100), reader.read(3, 2), reader.read(10, 5)) == (b"0123456789", b"34", b"")
    reader.close()
    reader.close()


def test_nothing_is_visible_before_commit(store: Store) -> None:
    """An upload that was not committed cannot be read, and an aborted one leaves nothing."""
    key = str(uuid.uuid4())
    writer = store.writer(key)
    writer.write(b"x")
    writer.flush()
    with pytest.raises(DataMissing):
        store.reader(key)
    writer.abort()
    writer.abort()
    with pytest.raises(DataMissing):
        store.reader(key)
    assert find_unknown(store, nothing_known) == Unknown()


def test_abort_after_commit_keeps_the_bytes(store: Store) -> None:
    """Once committed, abort does nothing."""
    key = str(uuid.uuid4())
    writer = store.writer(key)
    writer.write(b"x")
    writer.commit()
    writer.abort()
    assert content(store, key) == b"x"


def test_delete(store: Store) -> None:
    """Deleted bytes are gone for new readers, stay for open ones, and may be deleted again."""
    key = put(store, b"abc")
    reader = store.reader(key)
    store.delete(key)
    store.delete(key)
    assert reader.read(0, 3) == b"abc"
    reader.close()
    with pytest.raises(DataMissing):
        store.reader(key)


def test_delete_of_an_upload(store: Store) -> None:
    """What an upload has written goes, too, and the upload cannot give its bytes their key any more."""
    key = str(uuid.uuid4())
    writer = store.writer(key)
    writer.write(b"half")
    writer.flush()
    store.delete(key)
    with pytest.raises(StoreUnavailable):
        writer.commit()
    with pytest.raises(DataMissing):
        store.reader(key)
    assert find_unknown(store, nothing_known) == Unknown()


def test_find_unknown(store: Store) -> None:
    """What the database does not know is counted, however much there is, and stays."""
    known = {put(store, b"known") for _ in range(600)}
    unknown = {put(store, b"unknown") for _ in range(600)}
    asked: list[str] = []

    def of_database(keys: Collection[str]) -> set[str]:
        asked.extend(keys)
        return known & set(keys)

    found = find_unknown(store, of_database)
    assert (found.count, found.bytes) == (len(unknown), 7 * len(unknown))
    assert len(found.examples) == 3
    assert set(found.examples) < unknown
    assert sorted(asked) == sorted(known | unknown)
    assert all(content(store, key) == b"unknown" for key in unknown)


def test_find_unknown_uploads(store: Store) -> None:
    """An unfinished upload is unknown unless the database knows its key."""
    known, unknown = str(uuid.uuid4()), str(uuid.uuid4())
    writers = [store.writer(key) for key in (known, unknown)]
    for writer in writers:
        writer.write(b"half")
        writer.flush()

    found = find_unknown(store, lambda keys: {known} & set(keys))
    assert (found.count, found.bytes) == (1, 4)
    assert unknown in found.examples[0]
    for writer in writers:
        writer.commit()


def test_find_unknown_can_be_stopped(store: Store) -> None:
    """A search in a large store ends when the service stops."""
    put(store, b"unknown")

    assert find_unknown(store, nothing_known, lambda: True) == Unknown()


def test_claim(store: Store) -> None:
    """A store is claimed once, and again by the same database and region; any other is refused."""
    database = str(uuid.uuid4())
    store.claim(database, "jp1")
    store.claim(database, "jp1")

    for other in ((str(uuid.uuid4()), "jp1"), (database, "jp2")):
        with pytest.raises(StoreTaken, match=f"of region jp1 in the database {database}"):
            store.claim(*other)
    store.claim(database, "jp1")
    assert find_unknown(store, nothing_known) == Unknown()


@pytest.mark.parametrize(
    "key", ["", "..", "../../etc/passwd", "a/b", "A" * 36, "0b6c7a55-5b1e-4c6e-9d0d-6f1f0a6f2c11" + "\n", "\0"]
)
def test_only_uuids_are_keys(store: Store, key: str) -> None:
    """No other text ever becomes part of a path."""
    for action in (lambda: store.reader(key), lambda: store.delete(key), lambda: store.writer(key)):
        with pytest.raises(ValueError, match="UUID"):
            action()


def test_a_folder_is_private(tmp_path: Path) -> None:
    """Nobody else on the machine reads image bytes; links are not followed."""
    store = FolderStore(tmp_path / "store")
    key = put(store, b"x")
    path = tmp_path / "store" / key
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="store failed"):
        store.reader(key)
