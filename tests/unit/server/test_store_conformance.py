"""What every store promises; each store is a parameter of the fixture."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection
from pathlib import Path

import pytest

from ecl.server.data.store.base import DataMissing, Store, StoreTaken, Swept
from ecl.server.data.store.folder import FolderStore


@pytest.fixture(params=["folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    return FolderStore(tmp_path / "store")


def put(store: Store, data: bytes, key: str | None = None) -> str:
    """Store *data* and return its key."""
    key = key or str(uuid.uuid4())
    writer = store.writer(key, str(uuid.uuid4()))
    writer.write(data)
    writer.flush()
    writer.commit()
    return key


def nothing_known(_keys: Collection[str]) -> tuple[set[str], set[str]]:
    """Judge as a database without any image does."""
    return set(), set()


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
    writer = store.writer(key, str(uuid.uuid4()))
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
    writer = store.writer(key, str(uuid.uuid4()))
    writer.write(b"x")
    writer.flush()
    with pytest.raises(DataMissing):
        store.reader(key)
    writer.abort()
    writer.abort()
    with pytest.raises(DataMissing):
        store.reader(key)
    assert store.sweep(nothing_known) == Swept()


def test_abort_after_commit_keeps_the_bytes(store: Store) -> None:
    """Once committed, abort does nothing."""
    key = str(uuid.uuid4())
    writer = store.writer(key, str(uuid.uuid4()))
    writer.write(b"x")
    writer.commit()
    writer.abort()
    assert content(store, key) == b"x"


def test_two_uploads_for_one_key_do_not_mix(store: Store) -> None:
    """Each upload has its own bytes; the last commit is what is read."""
    key = str(uuid.uuid4())
    first, second = store.writer(key, str(uuid.uuid4())), store.writer(key, str(uuid.uuid4()))
    first.write(b"first")
    second.write(b"second")
    second.commit()
    first.abort()
    assert content(store, key) == b"second"


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


def test_sweep(store: Store) -> None:
    """What is dead goes; what is known stays, and so does what is unknown, which is counted, however much there is."""
    known = {put(store, b"known") for _ in range(3)}
    dead = {put(store, b"dead") for _ in range(600)}
    unknown = {put(store, b"unknown") for _ in range(600)}
    asked: list[str] = []

    def judge(keys: Collection[str]) -> tuple[set[str], set[str]]:
        asked.extend(keys)
        return dead & set(keys), known & set(keys)

    swept = store.sweep(judge)
    assert (swept.removed, swept.unknown, swept.unknown_bytes) == (len(dead), len(unknown), 7 * len(unknown))
    assert len(swept.examples) == 3
    assert set(swept.examples) < unknown
    assert set(asked) == known | dead | unknown
    assert all(content(store, key) == b"known" for key in known)
    assert all(content(store, key) == b"unknown" for key in unknown)
    for key in dead:
        with pytest.raises(DataMissing):
            store.reader(key)
    assert store.sweep(judge).removed == 0


def test_sweep_of_uploads(store: Store) -> None:
    """An unfinished upload goes if the database knows it; any other one stays as long as the store is not ours."""
    ours, other = str(uuid.uuid4()), str(uuid.uuid4())
    writers = [store.writer(str(uuid.uuid4()), upload) for upload in (ours, other)]
    for writer in writers:
        writer.write(b"half")
        writer.flush()

    swept = store.sweep(nothing_known, {ours})
    assert (swept.removed, swept.unknown, swept.unknown_bytes) == (1, 1, 4)
    assert other in swept.examples[0]
    for writer in writers:
        writer.abort()


def test_sweep_of_uploads_in_a_store_of_ours(store: Store) -> None:
    """Once the store is claimed, every upload that begins is ours, so an unfinished one goes."""
    store.claim(str(uuid.uuid4()), "jp1")
    writer = store.writer(str(uuid.uuid4()), str(uuid.uuid4()))
    writer.write(b"half")
    writer.flush()

    assert store.sweep(nothing_known) == Swept(removed=1)
    writer.abort()


def test_claim(store: Store) -> None:
    """A store is claimed once, and again by the same database and region; any other is refused."""
    database = str(uuid.uuid4())
    store.claim(database, "jp1")
    store.claim(database, "jp1")

    for other in ((str(uuid.uuid4()), "jp1"), (database, "jp2")):
        with pytest.raises(StoreTaken, match=f"of region jp1 in the database {database}"):
            store.claim(*other)
    store.claim(database, "jp1")
    assert store.sweep(nothing_known) == Swept()


def test_an_upload_from_before_the_claim_stays(tmp_path: Path) -> None:
    """What was in a folder before it was marked as ours is not ours, also at later starts."""
    database = str(uuid.uuid4())
    old = tmp_path / "store" / ".uploads" / str(uuid.uuid4())
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    os.utime(old, (1, 1))

    for _start in range(2):
        store = FolderStore(tmp_path / "store")
        store.claim(database, "jp1")
        assert store.sweep(nothing_known) == Swept(0, 1, 3, [f".uploads/{old.name}"])
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize(
    "key", ["", "..", "../../etc/passwd", "a/b", "A" * 36, "0b6c7a55-5b1e-4c6e-9d0d-6f1f0a6f2c11" + "\n", "\0"]
)
def test_only_uuids_are_keys(store: Store, key: str) -> None:
    """No other text ever becomes part of a path."""
    good = str(uuid.uuid4())
    for action in (
        lambda: store.reader(key),
        lambda: store.delete(key),
        lambda: store.writer(key, good),
        lambda: store.writer(good, key),
    ):
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
