"""What every store promises; each store is a parameter of the fixture."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Collection
from pathlib import Path

import pytest

from ecl.server.data.store.base import DataMissing, Store, StoreTaken, StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.data.store.unknown import Unknown, find_unknown
from support.object_stores import ObjectStorage

#: Bytes of which a bucket has seen something before the commit.
LARGE = 17 << 20


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    storage: ObjectStorage = request.getfixturevalue("seaweedfs")
    return storage.store()


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


@pytest.mark.parametrize("size", [0, 1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 40 << 20])
def test_sizes(store: Store, size: int) -> None:
    """Whatever the size, declared or not, all bytes come back, also when the caller uses its buffers again."""
    sent, buffers = hashlib.sha256(), [bytearray(1 << 20), bytearray(1 << 20)]
    for declared in (None, size):
        key = str(uuid.uuid4())
        writer = store.writer(key, declared)
        for number, offset in enumerate(range(0, size, 1 << 20)):
            buffer = buffers[number % 2]
            buffer[:] = number.to_bytes(4, "big") * (len(buffer) // 4)
            block = memoryview(buffer)[: size - offset]
            if declared is None:
                sent.update(block)
            writer.write(block)
        writer.flush()
        writer.commit()
        reader = store.reader(key)
        came = hashlib.sha256()
        for offset in range(0, reader.size, 300_000):
            came.update(reader.read(offset, 300_000))
        reader.close()
        assert (reader.size, came.hexdigest()) == (size, sent.hexdigest())


def test_reading_here_and_there(store: Store) -> None:
    """A reader goes back and forth, and reads to the end, whatever it fetches ahead."""
    data = random.Random(1).randbytes(9 << 20)
    reader = store.reader(put(store, data))
    for offset in (0, 5, 8 << 20, 4 << 20, len(data) - 3, 1, 2 << 20):
        assert reader.read(offset, 3 << 20) == data[offset : offset + (3 << 20)]
    reader.expect(1 << 20)
    assert reader.read(0, 2 << 20) == data[: 2 << 20]
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
    """Deleted bytes are gone, and may be deleted again."""
    key = put(store, b"abc")
    store.delete(key)
    store.delete(key)
    with pytest.raises(DataMissing):
        store.reader(key)


def test_delete_while_reading(store: Store) -> None:
    """An open reader of a folder has the bytes after a delete; that of a bucket says that they are gone."""
    key = put(store, b"abc")
    reader = store.reader(key)
    store.delete(key)
    if store.kind == "file":
        assert reader.read(0, 3) == b"abc"
    else:
        with pytest.raises(DataMissing):
            reader.read(0, 3)
    reader.close()


def test_delete_of_an_upload(store: Store) -> None:
    """What an upload has written goes, too, and the upload cannot give its bytes their key any more."""
    key = str(uuid.uuid4())
    writer = store.writer(key)
    writer.write(bytes(LARGE))
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
        writer.write(bytes(LARGE))
        writer.flush()

    found = find_unknown(store, lambda keys: {known} & set(keys))
    assert found.count == 1
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
