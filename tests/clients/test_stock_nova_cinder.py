"""Nova's and Cinder's own image code, unmodified: it finds the embedded service in the catalog and uses it."""

from __future__ import annotations

from clouds import EmbeddedCloud
from stock import CHECKSUM, SIZE, drive

#: What Cinder sees, whether it finds the service in the catalog or by an address of its settings.
CINDER = {
    "created": ["queued", "1"],
    "uploaded": ["active", SIZE, CHECKSUM, "cheap"],
    "stores": ["cheap", "fast"],
    "listed": ["cinder volume"],
    "downloaded": True,
    "updated": ["cinder renamed", ["b"]],
    "members": [],
    "deleted": "ImageNotFound",
}


def test_nova(embedded: EmbeddedCloud) -> None:
    """``nova.image.glance.API`` stores a snapshot, shares it, and fetches an image as a compute host does."""
    facts = drive(embedded, "nova-cinder", "use_nova.py", ["member"], guest_id=embedded.project_id("other"))

    assert facts == {
        "created": ["active", SIZE, CHECKSUM, "linux"],
        "shown": ["active", False, True],
        "meta": ["raw", "linux"],
        "listed": ["nova snapshot"],
        "downloaded": True,
        "downloaded to a file": True,
        "found by its address": "nova snapshot",
        "updated": ["nova renamed", ["architecture", "hw_disk_bus", "os_type"]],
        "purged": ["hw_vif_model"],
        "shared with the instance's owner": [True],
        "without data": ["active", 0],
        "deleted": "ImageNotFound",
    }


def test_cinder(embedded: EmbeddedCloud) -> None:
    """``GlanceImageService`` makes an image of a volume, in a store of its choice, and reads it back."""
    image_url = f"{embedded.service.url}/image/{embedded.login('member')['region_name']}"
    facts = drive(embedded, "nova-cinder", "use_cinder.py", ["member"], image_url=image_url)

    assert facts == {"by the catalog": CINDER, "by addresses": CINDER}
