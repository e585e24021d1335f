"""Projects take turns: one that posts many jobs keeps no other waiting, and has only so many at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.server.settings.model import ImportSettings
from support.http_stub import Answer, HttpStub, Request
from support.import_data import DATA
from support.region_service import Client, RegionService, poll, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}
MANY = 6


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region that runs one import at a time, and up to six jobs of a project."""
    near = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.1/32",), workers=1)
    with run_region(tmp_path, imports=near, project_jobs=MANY) as service:
        yield service


def _start(client: Client, uri: str) -> Any:
    image = client.create(**RAW)
    body = {"method": {"name": "web-download", "uri": uri}}
    return client.request("POST", f"/v2/images/{image['id']}/import", json=body)


class _Held:
    """Answers requests only once it is let go, and knows their order."""

    def __init__(self, origin: HttpStub) -> None:
        self.order: list[str] = []
        self.go = threading.Event()
        for path in ("/alpha", "/beta"):
            origin.on("GET", path, self._answer)
        self.url = origin.url

    def _answer(self, request: Request) -> Answer:
        self.order.append(request.path)
        self.go.wait(60)
        return Answer.data(DATA)


@pytest.fixture
def held(origin: HttpStub) -> Iterator[_Held]:
    """A server that does not answer yet."""
    held = _Held(origin)
    yield held
    held.go.set()


def test_projects_take_turns(region: RegionService, held: _Held) -> None:
    """The imports of a project that came later run between those of one that had posted many."""
    alpha, beta = region.client("alpha"), region.client("beta")
    for _ in range(MANY):
        assert _start(alpha, f"{held.url}/alpha").status_code == 202
    poll(lambda: held.order)
    for _ in range(2):
        assert _start(beta, f"{held.url}/beta").status_code == 202
    held.go.set()
    poll(lambda: len(held.order) == MANY + 2)

    assert held.order == ["/alpha", "/beta", "/alpha", "/beta", *["/alpha"] * (MANY - 2)]


def test_most_jobs_of_a_project(region: RegionService, held: _Held) -> None:
    """One more import than a project may have waiting is 429, and changes nothing; other projects go on."""
    alpha, beta = region.client("alpha"), region.client("beta")
    for _ in range(MANY):
        assert _start(alpha, f"{held.url}/alpha").status_code == 202
    refused = _start(alpha, f"{held.url}/alpha")

    assert refused.status_code == 429
    assert "project_jobs" in refused.text
    assert int(refused.headers["Retry-After"]) > 0
    (waiting, *_) = alpha.get("/v2/images?sort=created_at:desc").json()["images"]
    assert (waiting["status"], "os_glance_import_task" in waiting) == ("queued", False)
    assert _start(beta, f"{held.url}/beta").status_code == 202

    held.go.set()
    poll(lambda: len(held.order) == MANY + 1)
    poll(lambda: _start(alpha, f"{held.url}/alpha").status_code == 202)
