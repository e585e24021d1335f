"""Clients that others wrote, unmodified: libraries against both clouds, commands against the embedded service."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clouds import Cloud, EmbeddedCloud
from stock import drive, run_commands

from ecl.image.v2.image import Image
from support.http_stub import Answer, HttpStub

#: md5 of what the drivers upload.
CHECKSUM = "c9673ed338afa48ae22ae8531e77aba4"
SIZE = 1_600_000


def test_openstacksdk(cloud: Cloud) -> None:
    """Everything that openstacksdk does with images works, with the same outcome as against a real Glance."""
    facts = drive(cloud, "stock", "use_openstacksdk.py", ["member", "other"], guest_id=cloud.project_id("other"))

    assert facts == {
        "created": ["active", SIZE, "sha512", "debian"],
        "found by name": True,
        "found by ID": True,
        "not found": None,
        "downloaded": True,
        "updated": ["sdk renamed", 128, "13"],
        "tags": ["second"],
        "listed by tag": ["sdk renamed"],
        "deactivated": "deactivated",
        "download of deactivated refused": True,
        "reactivated": "active",
        "delete of protected": "ForbiddenException",
        "deleted": "NotFoundException",
        "queued": "queued",
        "uploaded": CHECKSUM,
        "pages": [f"sdk page {number}" for number in range(5)],
        "invited": ["pending", True],
        "listed before": [],
        "accepted": "accepted",
        "listed after": ["sdk shared"],
        "members": ["accepted"],
        "one member": "accepted",
        "gone for the guest": "NotFoundException",
        "schema": "image",
        "images schema": "images",
        "member schema": "member",
        "namespace schema": "namespace",
    }


def test_glanceclient(cloud: Cloud) -> None:
    """Everything that python-glanceclient does with images works, with the same outcome as against a real Glance."""
    facts = drive(cloud, "stock", "use_glanceclient.py", ["member", "other"], guest_id=cloud.project_id("other"))

    assert facts == {
        "created": ["queued", "debian", "private"],
        "uploaded": ["active", SIZE, CHECKSUM, "sha512"],
        "uploaded twice": "HTTPConflict",
        "downloaded": True,
        "updated": ["gc renamed", 128, "1", False],
        "tags": ["two words"],
        "listed by tag": ["gc renamed"],
        "deactivated": "deactivated",
        "reactivated": "active",
        "delete of protected": "HTTPForbidden",
        "deleted": "HTTPNotFound",
        # Refused by glanceclient itself, by the schema that it was given.
        "bad value": "TypeError",
        "data of queued": True,
        "pages": [f"gc page {number}" for number in range(5)],
        "limited": [f"gc page {number}" for number in range(3)],
        "invited": ["pending", True],
        "accepted": "accepted",
        "listed after": ["gc shared"],
        "members": ["accepted"],
        "one member": "accepted",
        "gone for the guest": "HTTPNotFound",
        "schema": "image",
        "namespace schema": "namespace",
    }


#: What eclsdk 1.11 sees of a cloud, with the ECL extensions or without.
ECLSDK_FACTS = {
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

    assert facts == ECLSDK_FACTS


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


# --- commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A file to upload."""
    path = tmp_path / "disk.raw"
    path.write_bytes(random.Random(3).randbytes(1_000_001))
    return path


def test_openstack_command(embedded: EmbeddedCloud, disk: Path, tmp_path: Path) -> None:
    """``openstack image`` creates, lists, shows, changes, saves, shares and deletes an image."""
    name, guest_id, out = f"osc-{uuid.uuid4()}", embedded.project_id("other"), tmp_path / "out.raw"

    def openstack(*commands: list[str], identity: str = "member") -> list[str]:
        return run_commands(embedded, identity, "openstack", [["image", *words] for words in commands])

    properties = ["--property", "os_distro=debian", "--property", "arch=arm", "--tag", "a"]
    _, listing, *_, showing = openstack(
        ["create", name, "--file", str(disk), "--disk-format", "raw", *properties],
        ["list", "--name", name, "-f", "json"],
        ["set", name, "--min-ram", "64", "--tag", "b", "--property", "os_version=13"],
        ["unset", name, "--tag", "a", "--property", "arch"],
        ["save", name, "--file", str(out)],
        ["add", "project", name, guest_id],
        ["show", name, "-f", "json"],
    )
    shown = json.loads(showing)
    openstack(["set", shown["id"], "--accept"], identity="other")
    membership, *_, left = openstack(
        ["member", "list", name, "-f", "json"],
        ["remove", "project", name, guest_id],
        ["delete", name],
        ["list", "--name", name, "-f", "json"],
    )

    assert [(row["Name"], row["Status"]) for row in json.loads(listing)] == [(name, "active")]
    assert (shown["min_ram"], shown["tags"], shown["size"]) == (64, ["b"], 1_000_001)
    assert shown["properties"]["os_version"] == "13"
    assert "arch" not in shown["properties"]
    assert out.read_bytes() == disk.read_bytes()
    assert [(row["Member ID"], row["Status"]) for row in json.loads(membership)] == [(guest_id, "accepted")]
    assert json.loads(left) == []


def test_glance_command(embedded: EmbeddedCloud, disk: Path, tmp_path: Path) -> None:
    """``glance`` creates, lists, shows, changes, downloads, shares and deletes an image."""
    name, image_id = f"glance-{uuid.uuid4()}", str(uuid.uuid4())
    guest_id, out = embedded.project_id("other"), tmp_path / "out.raw"

    def glance(*commands: list[str], identity: str = "member") -> list[str]:
        return run_commands(embedded, identity, "glance", commands)

    formats = ["--disk-format", "raw", "--container-format", "bare"]
    _, listing, *_, showing = glance(
        ["image-create", "--id", image_id, "--name", name, "--file", str(disk), *formats, "--property", "arch=arm"],
        ["image-list"],
        ["image-update", image_id, "--min-ram", "64", "--remove-property", "arch"],
        ["image-tag-update", image_id, "two words"],
        ["image-download", image_id, "--file", str(out)],
        ["member-create", image_id, guest_id],
        ["image-show", image_id],
    )
    glance(["member-update", image_id, guest_id, "accepted"], identity="other")
    membership, _, deactivated, *_, left = glance(
        ["member-list", "--image-id", image_id],
        ["image-deactivate", image_id],
        ["image-show", image_id],
        ["image-reactivate", image_id],
        ["image-delete", image_id],
        ["image-list"],
    )

    assert name in listing
    assert "two words" in showing
    assert "arch" not in showing
    assert out.read_bytes() == disk.read_bytes()
    assert "accepted" in membership
    assert "deactivated" in deactivated
    assert name not in left


# --- imports ------------------------------------------------------------------------------------------------


@pytest.fixture
def origin() -> Iterator[HttpStub]:
    """A server with an image at /image."""
    with HttpStub() as stub:
        for method in ("GET", "HEAD"):
            stub.on(method, "/image", Answer.data(b"0123456789" * 5000))
        yield stub


def test_openstacksdk_imports(cloud: Cloud, origin: HttpStub) -> None:
    """What openstacksdk does with imports, stores and tasks has the same outcome as against a real Glance."""
    facts = drive(cloud, "stock", "use_openstacksdk_imports.py", ["member", "admin"], uri=f"{origin.url}/image")

    assert facts == {
        "methods": ["copy-image", "glance-direct", "web-download"],
        "stores": [["cheap", False], ["fast", True]],
        "details": [True, True],
        "staged": "uploading",
        "glance-direct": ["active", 160_000, ["cheap", "fast"]],
        "web-download": ["active", 50_000, "fast"],
        "copy-image": ["cheap", "fast"],
        "out of one store": "cheap",
        "tasks": ["success", "success"],
        "one task": "success",
        "all tasks": True,
        "waited for": "success",
    }


def test_glance_command_imports(embedded: EmbeddedCloud, disk: Path, origin: HttpStub) -> None:
    """``glance`` stages, imports by each method, and shows stores, tasks and usage."""
    # Without a file, image-create would upload what comes from standard input.
    ids = [str(embedded.connect().create_image(disk_format="raw", container_format="bare").id) for _ in range(2)]

    def glance(*commands: list[str], identity: str = "member") -> list[str]:
        return run_commands(embedded, identity, "glance", commands)

    def settled(image_id: str) -> Image:
        return embedded.connect().wait_for_image(image_id, interval=0.2, wait=60)

    info, stores, usage, *_ = glance(
        ["import-info"],
        ["stores-info"],
        ["usage"],
        ["image-stage", ids[0], "--file", str(disk)],
        ["image-import", ids[0], "--import-method", "glance-direct"],
        ["image-import", ids[1], "--import-method", "web-download", "--uri", f"{origin.url}/image", "--store", "cheap"],
    )
    assert "web-download" in info
    assert "cheap" in stores
    assert usage is not None
    assert (settled(ids[0]).size, settled(ids[0]).stores) == (1_000_001, "fast")
    assert (settled(ids[1]).size, settled(ids[1]).stores) == (50_000, "cheap")

    (tasks,) = glance(["image-tasks", ids[0]])
    assert "success" in tasks
    details, *_ = glance(
        ["stores-info", "--detail"],
        ["image-import", ids[0], "--import-method", "copy-image", "--stores", "cheap"],
        identity="admin",
    )
    assert "data_dir" in details
    assert settled(ids[0]).stores == "fast,cheap"
    glance(["stores-delete", ids[0], "--store", "fast"], identity="admin")
    assert settled(ids[0]).stores == "cheap"
    all_tasks, *_ = glance(["task-list"], ["image-delete", *ids], identity="admin")
    assert "success" in all_tasks


def test_openstack_command_imports(embedded: EmbeddedCloud, disk: Path, origin: HttpStub) -> None:
    """``openstack image`` stages, imports, and shows import methods, stores and tasks."""
    proxy = embedded.connect()

    def openstack(*commands: list[str], identity: str = "member") -> list[str]:
        return run_commands(embedded, identity, "openstack", [["image", *words] for words in commands])

    images = [proxy.create_image(disk_format="raw", container_format="bare") for _ in range(2)]
    first, second = (str(image.id) for image in images)
    info, stores, *_ = openstack(
        ["import", "info", "-f", "json"],
        ["stores", "list", "-f", "json"],
        ["stage", first, "--file", str(disk)],
        ["import", first, "--method", "glance-direct"],
        ["import", second, "--method", "web-download", "--uri", f"{origin.url}/image", "--store", "cheap"],
    )
    assert "web-download" in info
    assert {row["ID"] for row in json.loads(stores)} == {"fast", "cheap"}
    done = [proxy.wait_for_image(each, interval=0.2, wait=60) for each in images]
    assert [(image.size, image.stores) for image in done] == [(1_000_001, "fast"), (50_000, "cheap")]
    (tasks,) = openstack(["task", "list", "-f", "json"], identity="admin")
    assert "success" in tasks
    openstack(["delete", first, second])
