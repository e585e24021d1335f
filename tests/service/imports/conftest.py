"""A region with two stores that may fetch from this machine, and a server to fetch from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.model import ImportSettings
from support.http_stub import Answer, HttpStub
from support.import_data import DATA
from support.region_service import Client, RegionService, poll, run_region


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region with the stores folder and cheap."""
    cheap = FolderStore(tmp_path / "images" / "cheap", "cheap", "the second one")
    near = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.1/32",))
    with run_region(tmp_path, more_stores=[cheap], imports=near) as service:
        yield service


@pytest.fixture
def origin() -> Iterator[HttpStub]:
    """A server with DATA at /image."""
    with HttpStub() as stub:
        stub.on("GET", "/image", Answer.data(DATA))
        yield stub


Import = Callable[..., Any]


@pytest.fixture
def start_import() -> Import:
    """Send an import request; returns the response."""

    def start(client: Client, image: dict[str, Any], method: str, /, headers: Any = None, **body: Any) -> Any:
        of_method = {name: body.pop(name) for name in ("uri", "glance_region", "glance_image_id") if name in body}
        content = {"method": {"name": method, **of_method}, **body}
        return client.request("POST", f"/v2/images/{image['id']}/import", json=content, headers=headers)

    return start


@pytest.fixture
def settled() -> Callable[[Client, dict[str, Any]], dict[str, Any]]:
    """Wait until no import is at work on an image; returns the image."""

    def wait(client: Client, image: dict[str, Any]) -> dict[str, Any]:
        poll(lambda: "os_glance_import_task" not in client.show(image["id"]))
        return client.show(image["id"])

    return wait
