"""Private files between two commands."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import platformdirs
import pytest

from ecl.cli import _cache


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the cache is in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ecl-image" / "kind"


@pytest.mark.parametrize("chosen", [None, "", "/var/cache/mine", "relative"])
@pytest.mark.parametrize("home", ["/home/someone", "/", "relative", "", None])
def test_folder_is_that_of_the_system(chosen: str | None, home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is where the system keeps a user's caches, as platformdirs knows it."""
    for name, value in (("XDG_CACHE_HOME", chosen), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)

    assert _cache.folder("kind") == Path(platformdirs.user_cache_dir("ecl-image", appauthor=False), "kind")


def test_what_is_written_is_read(place: Path) -> None:
    """A value comes back under its key, and no other; both folder and file are the owner's alone."""
    _cache.write("kind", "key", {"a": [1, None]})

    assert _cache.read("kind", "key") == {"a": [1, None]}
    assert _cache.read("kind", "other") is None
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()] == [0o600]


def test_umask_makes_no_difference(place: Path) -> None:
    """A loose umask does not open the file, a strict one does not break it."""
    before = os.umask(0)
    try:
        _cache.write("kind", "key", 1)
        os.umask(0o077)
        _cache.write("kind", "key", 2)
    finally:
        os.umask(before)

    assert _cache.read("kind", "key") == 2
    assert stat.S_IMODE((place / "key.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(("age", "found"), [(0, 1), (50, 1), (70, None), (-100, None)])
def test_age_counts(place: Path, age: float, found: int | None) -> None:
    """What is older than asked for does not count, nor what says it is of tomorrow."""
    _cache.write("kind", "key", 1)
    then = time.time() - age
    os.utime(place / "key.json", (then, then))

    assert _cache.read("kind", "key", max_age=60) == found


def test_forgotten_is_gone(place: Path) -> None:
    """What was forgotten is not read; to forget what is not there is no error."""
    _cache.write("kind", "key", 1)
    _cache.forget("kind", "key")
    _cache.forget("kind", "key")

    assert _cache.read("kind", "key") is None
    assert list(place.iterdir()) == []


def test_old_files_go(place: Path) -> None:
    """A file that nobody has renewed for a week goes when another is written."""
    _cache.write("kind", "old", 1)
    os.utime(place / "old.json", (0, 0))
    _cache.write("kind", "new", 1)

    assert [path.name for path in place.iterdir()] == ["new.json"]


def test_failed_write_leaves_nothing(place: Path) -> None:
    """A value that JSON cannot hold is the caller's mistake, and leaves no part of a file."""
    with pytest.raises(TypeError):
        _cache.write("kind", "key", object())

    assert list(place.iterdir()) == []
