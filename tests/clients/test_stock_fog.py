"""fog-openstack (Ruby), unmodified: a script that uses its image service runs against the embedded service."""

from __future__ import annotations

from clouds import EmbeddedCloud
from stock import CHECKSUM, SIZE, drive


def test_fog(embedded: EmbeddedCloud) -> None:
    """With fog's own default of an interface, "admin", images are made, read, changed, shared and deleted."""
    facts = drive(embedded, "fog-openstack", "use_fog.rb", ["member", "other"], guest_id=embedded.project_id("other"))

    assert facts == {
        "created": ["queued", "shared", "debian"],
        "uploaded": ["active", SIZE, CHECKSUM],
        "downloaded": True,
        "downloaded in chunks": True,
        "updated": ["fog renamed", "13", False],
        "tags": ["second"],
        "listed": True,
        "found": True,
        "deactivated": "deactivated",
        "reactivated": "active",
        "deleted": None,
        "invited": ["pending", True],
        "listed before": 0,
        "listed after": 1,
        "members": ["accepted"],
        "one member": "accepted",
        "gone for the guest": "NotFound",
    }
