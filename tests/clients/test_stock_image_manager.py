"""openstack-image-manager, unmodified: it brings the images of a definition into the embedded service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clouds import EmbeddedCloud
from stock import run_tool

from support.http_stub import Answer, HttpStub

VERSIONS = ("20260101", "20260201")
SIZE = 50_000
DEFINITION = {
    "name": "Manager Debian",
    "enable": True,
    "format": "raw",
    "login": "debian",
    "min_ram": 64,
    "multi": True,
    "status": "active",
    "visibility": "private",
    "tags": ["manager"],
    "meta": {
        "architecture": "x86_64",
        "hw_disk_bus": "scsi",
        "hypervisor_type": "qemu",
        "os_distro": "debian",
        "os_purpose": "generic",
        "replace_frequency": "monthly",
        "uuid_validity": "last-1",
        "provided_until": "none",
    },
}


@pytest.fixture
def publisher() -> Iterator[HttpStub]:
    """A server that has each version of the image."""
    with HttpStub() as stub:
        for number, version in enumerate(VERSIONS):
            for method in ("GET", "HEAD"):
                stub.on(method, f"/{version}.raw", Answer.data(bytes([number]) * SIZE))
        yield stub


def managed(embedded: EmbeddedCloud) -> dict[str, Any]:
    """Return the images that the manager takes care of, by name."""
    listed = embedded.held("images?tag=managed_by_osism")["images"]
    return {image["name"]: image for image in listed}


def test_image_manager(embedded: EmbeddedCloud, publisher: HttpStub, tmp_path: Path) -> None:
    """The first run has both versions fetched and names the newer one; the second run changes nothing."""
    versions = [{"version": version, "url": f"{publisher.url}/{version}.raw"} for version in VERSIONS]
    images = tmp_path / "images.yml"
    images.write_text(json.dumps({"images": [{**DEFINITION, "versions": versions}]}))
    command = ("openstack-image-manager", "--cloud", "stock", "--images", str(images), "--prefetch", "never")

    run_tool(embedded, "image-manager", *command, folder=tmp_path)
    made = managed(embedded)
    assert sorted(made) == ["Manager Debian", "Manager Debian (20260101)"]
    newest = made["Manager Debian"]
    assert (newest["internal_version"], newest["os_distro"]) == ("20260201", "debian")
    assert sorted(newest["tags"]) == ["managed_by_osism", "manager", "os:debian"]
    assert [(image["status"], image["size"], image["min_ram"]) for image in made.values()] == [("active", SIZE, 64)] * 2
    asked = len(publisher.requests)

    run_tool(embedded, "image-manager", *command, folder=tmp_path)
    assert managed(embedded) == made
    assert len(publisher.requests) == asked
    for image in made.values():
        embedded.connect().delete_image(image["id"])
