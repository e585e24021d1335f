"""``openstack image …``, unmodified: each of its verbs drives the embedded service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clouds import EmbeddedCloud
from stock import DISK, RAW, TEXT, Commands, verbs_in

from support.http_stub import HttpStub


@pytest.fixture(scope="module")
def openstack(embedded: EmbeddedCloud) -> Iterator[Commands]:
    """Run ``openstack``."""
    with Commands(embedded, "openstack") as running:
        yield running


@pytest.fixture
def namespace(openstack: Commands) -> Iterator[str]:
    """The name of a namespace of metadata definitions."""
    openstack("image metadef namespace create", "Osc::Test", "--public", "--description", "old", identity="admin")
    yield "Osc::Test"
    openstack("image metadef namespace delete", "Osc::Test", identity="admin")


def test_every_verb_is_driven(openstack: Commands) -> None:
    """What the plug-in for images names as a command is called in this module, all of it."""
    assert verbs_in(__file__, "openstack") == set(openstack.verbs)


def test_login(openstack: Commands) -> None:
    """A user with a password finds the region in the catalog."""
    assert "fast" in openstack("image stores list", by_password=True)


@pytest.mark.parametrize("interface", ["public", "internal", "admin"])
def test_interface(openstack: Commands, interface: str) -> None:
    """The catalog has the image service under every interface that a cloud's settings may ask for."""
    image_id = openstack.json("image create", f"osc by {interface}")["id"]
    listed = openstack(
        "image list", "--name", f"osc by {interface}", "-f", "json", options=[f"--os-interface={interface}"]
    )
    assert [row["ID"] for row in json.loads(listed)] == [image_id]
    openstack("image delete", image_id)


def test_images(openstack: Commands, embedded: EmbeddedCloud, disk: Path, tmp_path: Path) -> None:
    """An image is made with its data, listed, shown, changed, saved and deleted."""
    properties = ["--property", "os_distro=debian", "--property", "arch=arm", "--tag", "a"]
    made = openstack.json("image create", "osc disk", "--file", str(disk), *RAW, *properties)
    listed = openstack.json("image list", "--name", "osc disk")
    openstack("image set", "osc disk", "--min-ram", "64", "--tag", "b", "--property", "os_version=13")
    openstack("image unset", "osc disk", "--tag", "a", "--property", "arch")
    openstack("image save", "osc disk", "--file", str(tmp_path / "out.raw"))
    shown = openstack.json("image show", "osc disk")

    assert [(row["ID"], row["Status"]) for row in listed] == [(made["id"], "active")]
    assert (shown["min_ram"], shown["tags"], shown["size"]) == (64, ["b"], len(DISK))
    held = embedded.held(f"images/{made['id']}")
    assert (held["os_distro"], held["os_version"], held["tags"]) == ("debian", "13", ["b"])
    assert "arch" not in held
    assert (tmp_path / "out.raw").read_bytes() == DISK
    openstack("image delete", "osc disk")
    assert openstack.json("image list", "--name", "osc disk") == []
    assert openstack.error("image show", made["id"]).startswith("No Image found")


def test_sharing(openstack: Commands, embedded: EmbeddedCloud) -> None:
    """An image is offered to a project, which takes it, and is taken back."""
    image_id, guest_id = openstack.json("image create", "osc shared")["id"], embedded.project_id("other")
    openstack("image add project", image_id, guest_id)
    assert openstack.json("image list", "--name", "osc shared", identity="other") == []
    openstack("image set", image_id, "--accept", identity="other")

    listed = openstack.json("image list", "--name", "osc shared", identity="other")
    assert [row["ID"] for row in listed] == [image_id]
    assert [row["Status"] for row in openstack.json("image member list", image_id)] == ["accepted"]
    assert openstack.json("image member get", image_id, guest_id)["status"] == "accepted"
    (held,) = embedded.held(f"images/{image_id}/members")["members"]
    assert (held["member_id"], held["status"]) == (guest_id, "accepted")
    openstack("image remove project", image_id, guest_id)
    assert embedded.held(f"images/{image_id}/members")["members"] == []
    openstack("image delete", image_id)


def test_imports(openstack: Commands, embedded: EmbeddedCloud, disk: Path, image_server: HttpStub) -> None:
    """Data is staged and imported, fetched from an address, and the tasks that did it are shown."""
    proxy, uri = embedded.connect(), f"{image_server.url}/image"
    staged, fetched = (openstack.json("image create", f"osc import {number}", *RAW)["id"] for number in range(2))
    assert "web-download" in openstack("image import info", "-f", "json")
    assert {row["ID"] for row in openstack.json("image stores list")} == {"fast", "cheap"}
    openstack("image stage", staged, "--file", str(disk))
    openstack("image import", staged, "--method", "glance-direct")
    openstack("image import", fetched, "--method", "web-download", "--uri", uri, "--store", "cheap")

    done = [proxy.wait_for_image(image_id, interval=0.2, wait=60) for image_id in (staged, fetched)]
    assert [(image.size, image.stores) for image in done] == [(len(DISK), "fast"), (50_000, "cheap")]
    (task,) = embedded.held(f"images/{fetched}/tasks")["tasks"]
    listed = {row["ID"]: row["Status"] for row in openstack.json("image task list", identity="admin")}
    assert listed[task["id"]] == "success"
    shown = openstack.json("image task show", task["id"], identity="admin")
    assert (shown["status"], shown["input"]["import_req"]["method"]["uri"]) == ("success", uri)
    openstack("image delete", staged, fetched)


def test_namespaces(openstack: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A namespace is listed, shown, and changed, with its tags."""
    rows = openstack.json("image metadef namespace list", "--visibility", "public")
    assert {"namespace": namespace} in rows
    # The command replaces the whole: what is not named is cleared.
    changes = ["--display-name", "Tests", "--description", "new", "--public"]
    tags = ["--tag", "one", "--tag", "two", "--tag", "three"]
    openstack("image metadef namespace set", namespace, *changes, *tags, identity="admin")
    shown = openstack.json("image metadef namespace show", namespace)
    assert (shown["display_name"], shown["description"], shown["visibility"]) == ("Tests", "new", "public")
    openstack("image metadef namespace unset", namespace, "--tag", "two", identity="admin")
    held = embedded.held(f"metadefs/namespaces/{namespace}")
    assert (held["description"], held["visibility"], held["protected"]) == ("new", "public", False)
    assert {tag["name"] for tag in held["tags"]} == {"one", "three"}

    openstack("image metadef namespace unset", namespace, "--all-tags", identity="admin")
    assert "tags" not in embedded.held(f"metadefs/namespaces/{namespace}")
    assert "403" in openstack.error("image metadef namespace create", "Osc::Other")


def test_properties(openstack: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A property is made, listed, shown, changed and deleted, and all that are left at once."""

    def create(name: str) -> None:
        described = ["--name", name, "--title", "A speed", "--type", "integer", "--schema", json.dumps({"minimum": 1})]
        openstack("image metadef property create", namespace, *described, identity="admin")

    def held() -> dict[str, Any]:
        properties: dict[str, Any] = embedded.held(f"metadefs/namespaces/{namespace}/properties")["properties"]
        return properties

    create("speed")
    rows = openstack.json("image metadef property list", namespace)
    assert rows == [{"name": "speed", "title": "A speed", "type": "integer"}]
    openstack("image metadef property set", namespace, "speed", "--title", "Speed", identity="admin")
    shown = openstack.json("image metadef property show", namespace, "speed")
    assert (shown["name"], shown["title"], shown["minimum"]) == ("speed", "Speed", 1)
    assert (held()["speed"]["title"], held()["speed"]["minimum"]) == ("Speed", 1)
    create("left")
    openstack("image metadef property delete", namespace, "speed", identity="admin")
    assert list(held()) == ["left"]
    openstack("image metadef property delete", namespace, identity="admin")
    assert held() == {}


def test_objects(openstack: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """An object is made, listed, shown with its properties, renamed and deleted."""
    path = f"metadefs/namespaces/{namespace}/objects"
    openstack("image metadef object create", "disk", "--namespace", namespace, identity="admin")
    assert openstack.json("image metadef object list", namespace) == [{"name": "disk", "description": None}]
    # The command cannot give an object properties.
    embedded.connect("admin").update_metadef_object("disk", namespace, properties={"bus": TEXT})
    assert openstack.json("image metadef object property show", namespace, "disk", "bus") == {"name": "bus", **TEXT}
    openstack("image metadef object update", namespace, "disk", "--name", "drive", identity="admin")
    shown = openstack.json("image metadef object show", namespace, "drive")
    assert (shown["name"], shown["namespace_name"]) == ("drive", namespace)
    assert [each["name"] for each in embedded.held(path)["objects"]] == ["drive"]
    openstack("image metadef object delete", namespace, "drive", identity="admin")
    assert embedded.held(path)["objects"] == []


def test_resource_types(openstack: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A resource type is associated with a namespace, listed, and let go; the type itself stays."""
    path = f"metadefs/namespaces/{namespace}/resource_types"
    association = (namespace, "OS::Osc::Test", "--properties-target", "image")
    openstack("image metadef resource type association create", *association, identity="admin")
    rows = openstack.json("image metadef resource type association list", namespace)
    assert rows == [{"Name": "OS::Osc::Test"}]
    (held,) = embedded.held(path)["resource_type_associations"]
    assert (held["name"], held["properties_target"]) == ("OS::Osc::Test", "image")
    openstack("image metadef resource type association delete", namespace, "OS::Osc::Test", identity="admin")
    assert embedded.held(path)["resource_type_associations"] == []
    assert {"Name": "OS::Osc::Test"} in openstack.json("image metadef resource type list")


def test_cache(openstack: Commands) -> None:
    """There is no cache: an administrator is told so, anybody else that it is none of theirs."""
    image_id = openstack.json("image create", "osc cached")["id"]
    for identity, refusal in (("admin", "404"), ("member", "403")):
        assert refusal in openstack.error("cached image list", identity=identity)
        assert refusal in openstack.error("cached image queue", image_id, identity=identity)
    assert "Failed to clear image cache" in openstack.error("cached image clear", identity="admin")
    assert "403" in openstack.error("cached image delete", image_id)
    # What is not there need not be deleted.
    openstack("cached image delete", image_id, identity="admin")
    openstack("image delete", image_id)
