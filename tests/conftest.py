"""What holds for every test: a clean environment, a home of its own, and no threads left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl.testing import ImageService
from support import object_stores
from support.images import real_image
from support.object_stores import seaweedfs
from support.postgres import postgres

__all__ = ["postgres", "real_image", "seaweedfs"]

#: Threads that serve a whole session, or that their pool keeps to use again.
_KEPT_THREADS = ("AnyIO worker thread", "asyncio_", "ecl-")
_THREAD_SECONDS = 5.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which database and which store the services of the tests have."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="default: sqlite")
    parser.addoption("--store", choices=("folder", "object"), default="folder", help="default: folder")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the project's own marker."""
    config.addinivalue_line("markers", "folder_store: a test of folders, skipped with --store object")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests of folders where the services have none."""
    if config.getoption("--store") == "object":
        for item in items:
            if item.get_closest_marker("folder_store") is not None:
                item.add_marker(pytest.mark.skip("a test of folders"))


@pytest.fixture(scope="session", autouse=True)
def _chosen_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``--database postgresql``, each service that is given no database has one there."""
    with pytest.MonkeyPatch.context() as patch:
        if request.config.getoption("--database") == "postgresql":
            running = request.getfixturevalue("postgres")
            patch.setattr(ImageService, "_default_database_url", staticmethod(running.url_of))
        yield


@pytest.fixture(scope="session", autouse=True)
def _chosen_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """With ``--store object``, each region that is given no store has one in a bucket."""
    with pytest.MonkeyPatch.context() as patch:
        if request.config.getoption("--store") == "object":
            storage = request.getfixturevalue("seaweedfs")
            patch.setattr(object_stores, "chosen", storage)
            patch.setattr(ImageService, "_default_store", staticmethod(storage.default_store))
        yield


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that the user of this machine has set reaches a test, or a service that tests share."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("OS_", "ECL_", "XDG_", "AWS_")) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"):
            patch.delenv(name, raising=False)
        _move_home(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_counts() -> None:
    """
    Where a shell has started the tests in the background, Ctrl-C is ignored by them and all that they start.

    nohup does the same with SIGHUP.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_place_for_signals() -> Iterator[None]:
    """A command that ran in this process may have said where signals are written to; the next test begins without."""
    yield
    signal.set_wakeup_fd(-1)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the home of this test alone; configuration, cache and data folders are in it."""
    folder = tmp_path_factory.mktemp("home")
    _move_home(monkeypatch, folder)
    return folder


def _move_home(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("HOME", str(folder))
    patch.setenv("XDG_CONFIG_DIRS", str(folder / "etc"))


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """A test that leaves a thread running, which would keep the process alive, fails."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _THREAD_SECONDS
    for thread in _started_since(before):
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in _started_since(before)]
    if left:
        pytest.fail(f"threads left running: {', '.join(left)}", pytrace=False)


def _started_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.daemon and not thread.name.startswith(_KEPT_THREADS)
    ]
