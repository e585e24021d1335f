"""What every store promises; each store is a parameter of the fixture."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from ecl.server.data.store.base import DataMissing, Store
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
    assert store.sweep(frozenset) == 0


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
    """What no image knows goes, unfinished uploads included; what is known stays, however much there is."""
    kept = {put(store, b"kept") for _ in range(3)}
    stray = {put(store, b"stray") for _ in range(600)}
    unfinished = store.writer(str(uuid.uuid4()), str(uuid.uuid4()))
    unfinished.write(b"half")
    asked: list[str] = []

    def known(keys: object) -> set[str]:
        batch = list(keys)  # type: ignore[call-overload]
        asked.extend(batch)
        return kept & set(batch)

    assert store.sweep(known) == len(stray) + 1
    assert set(asked) == kept | stray
    assert all(content(store, key) == b"kept" for key in kept)
    assert store.sweep(known) == 0
    unfinished.abort()


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
