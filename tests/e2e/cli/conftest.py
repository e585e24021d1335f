"""A service, clouds of clouds.yaml on it, and the command: in this process, in one of its own, and on a terminal."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecl.testing import ImageService
from support.commands import CLOUDS, Command, Terminal, write_clouds

LICENSES = ["Red_Hat_Enterprise_Linux_7_64bit_BYOL"]


@pytest.fixture(scope="session")
def service() -> Iterator[ImageService]:
    """A service with two regions, for all tests of the command."""
    regions = [{"name": name, "license_switch_types": LICENSES} for name in ("jp1", "jp2")]
    with ImageService(regions) as running:
        yield running


@pytest.fixture(scope="session")
def clouds_yaml(service: ImageService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clouds: here and guest, two projects of jp1; there, a project of jp2; admin."""
    path = tmp_path_factory.mktemp("clouds") / "clouds.yaml"
    here = service.add_project(CLOUDS["here"])
    # The same user, who may so copy from here to there.
    there = service.add_project(CLOUDS["there"], here.username)
    write_clouds(path, service, {"here": here, "guest": service.add_project(CLOUDS["guest"]), "there": there})
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that tests share, so that not each of them logs in."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _on_cloud_here(clouds_yaml: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has chosen the cloud "here"."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
    monkeypatch.setenv("OS_CLOUD", "here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def alone(service: ImageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user in a project of their own, with no images; the project's ID."""
    project = service.add_project("jp1")
    path = tmp_path / "alone.yaml"
    write_clouds(path, service, {"here": project})
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return project.id


@pytest.fixture
def ecl() -> Command:
    """The command, run in this process."""
    return Command()


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start the command on a terminal of its own."""
    started: list[Terminal] = []

    def start(*words: str, columns: int = 100, **environ: str) -> Terminal:
        # Unless a test says otherwise, the terminal alone knows its size.
        inherited = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
        started.append(Terminal(words, columns, {**inherited, "TERM": "xterm-256color", **environ}))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A small raw disk, of bytes that no other test has."""
    path = tmp_path / "disk.raw"
    path.write_bytes(secrets.token_bytes(100_000))
    return path


@pytest.fixture
def name() -> str:
    """A name that no other image has."""
    return f"image-{secrets.token_hex(6)}"


@pytest.fixture
def image(ecl: Command, name: str, disk: Path) -> str:
    """An active image on the cloud "here"; its ID."""
    return ecl("image", "create", name, "--file", str(disk), "-f", "value", "-c", "id").out.strip()


@pytest.fixture
def project_of(ecl: Command) -> Callable[[str], str]:
    """The ID of the project that a cloud is logged in to."""

    def find(cloud: str) -> str:
        return str(json.loads(ecl("--os-cloud", cloud, "token", "issue", "-f", "json").out)["project_id"])

    return find
