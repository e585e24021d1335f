"""gophercloud (Go), unmodified: a program that uses its image packages runs against the embedded service."""

from __future__ import annotations

from clouds import EmbeddedCloud
from stock import CHECKSUM, SIZE, drive

from support.http_stub import HttpStub


def test_gophercloud(embedded: EmbeddedCloud, image_server: HttpStub) -> None:
    """images, imagedata, imageimport, members and tasks do what they say, each user by another interface."""
    facts = drive(
        embedded,
        "gophercloud",
        "use_gophercloud.go",
        ["member", "other", "admin"],
        guest_id=embedded.project_id("other"),
        uri=f"{image_server.url}/image",
    )

    assert facts == {
        "created": ["queued", "shared", ["go"], "debian"],
        "uploaded": ["active", SIZE, CHECKSUM],
        "downloaded": True,
        "updated": ["go renamed", ["new"], 64, "private", "13", False],
        "found by tag": ["go renamed"],
        "deleted": True,
        "pages": [f"go page {number}" for number in range(5)],
        "invited": ["pending", True, True],
        "listed before": [],
        "accepted": "accepted",
        "listed after": ["go shared"],
        "one member": "accepted",
        "members": 1,
        "gone for the guest": True,
        "methods": ["glance-direct", "web-download", "copy-image", "glance-download"],
        "glance-direct": ["active", SIZE],
        "web-download": ["active", 50_000],
        "task": ["success", "import", True],
        "task listed": True,
        "tasks refused to a member": True,
    }
