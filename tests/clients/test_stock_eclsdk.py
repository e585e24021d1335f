"""eclsdk 1.11, unmodified: its scripts run against both clouds, and against the ECL extensions."""

from __future__ import annotations

from clouds import Cloud, EmbeddedCloud
from stock import CHECKSUM, SIZE, drive

#: What eclsdk sees of a cloud, with the ECL extensions or without.
FACTS = {
    "created": ["queued", "shared", "linux", "virtual-server"],
    "uploaded": True,
    "active": ["active", SIZE, CHECKSUM],
    "found by name": True,
    "found by ID": True,
    "not found": None,
    "downloaded": True,
    "updated": "ecl renamed",
    "tags": ["second"],
    "listed": ["ecl renamed"],
    "deleted": 404,
    "deleted again": 404,
    "limited": ["ecl page 0", "ecl page 1"],
    "invited": ["pending", True],
    "accepted": "accepted",
    "listed after": ["ecl shared"],
    # A defect of eclsdk: it looks for a key that Glance's members do not have.
    "members": "no key 'member'",
    "one member": "accepted",
    "gone for the guest": 404,
    "schemas": ["image", "images", "member", "namespace", "object", "property", "resource_type_association"],
}


def test_eclsdk(cloud: Cloud) -> None:
    """A script written for eclsdk's image service runs, with the same outcome as against a real Glance."""
    facts = drive(
        cloud, "eclsdk", "use_eclsdk.py", ["member", "other"], parts=["plain"], guest_id=cloud.project_id("other")
    )

    assert facts == FACTS


def test_eclsdk_extensions(embedded: EmbeddedCloud) -> None:
    """eclsdk lists licence types, and copies an image to another region."""
    facts = drive(
        embedded, "eclsdk", "use_eclsdk.py", ["member", "far"], parts=["ecl"], far_id=embedded.project_id("far")
    )

    assert facts == {
        "licenses": embedded.license_types,
        "copied": ["replicated", 100, True],
        "job listed": True,
        "copy": ["ecl copied", "active", SIZE, CHECKSUM, True],
        "cancel of finished": 409,
    }
