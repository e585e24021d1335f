"""``glance``, unmodified: each of its verbs drives the embedded service."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clouds import EmbeddedCloud
from stock import DISK, RAW, TEXT, Commands, verbs_in

from ecl.image.v2.image import Image
from support.http_stub import HttpStub


@pytest.fixture(scope="module")
def glance(embedded: EmbeddedCloud) -> Iterator[Commands]:
    """Run ``glance``."""
    with Commands(embedded, "glance") as running:
        yield running


@pytest.fixture
def image_id(glance: Commands) -> Iterator[str]:
    """The ID of a queued raw image."""
    made = str(uuid.uuid4())
    glance("image-create", "--id", made, "--name", "glance image", *RAW)
    yield made
    glance("image-delete", made)


@pytest.fixture
def namespace(glance: Commands) -> Iterator[str]:
    """The name of a namespace of metadata definitions."""
    public = ("--visibility", "public", "--description", "old", "--protected", "False")
    glance("md-namespace-create", "Glance::Test", *public, identity="admin")
    yield "Glance::Test"
    glance("md-namespace-delete", "Glance::Test", identity="admin")


def table(printed: str) -> list[list[str]]:
    """Return the cells of a table, the heads first."""
    lines = [line[1:-1].split("|") for line in printed.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines]


def rows(printed: str) -> list[list[str]]:
    """Return the rows of a table without its heads."""
    return table(printed)[1:]


def described(printed: str) -> dict[str, str]:
    """Return a table of names and values."""
    return {row[0]: row[1] for row in rows(printed)}


def test_every_verb_is_driven(glance: Commands) -> None:
    """What the program names as a command is called in this module, all of it."""
    assert verbs_in(__file__, "glance") == set(glance.verbs)


def test_help(glance: Commands) -> None:
    """It explains itself, and the service's schemas."""
    assert "md-namespace-create" in glance("help")
    assert "md-namespace-create" in glance("bash-completion")
    assert "os_hash_value" in dict(table(glance("explain", "image")))


def test_login(glance: Commands) -> None:
    """A user with a password finds the region in the catalog."""
    assert "fast" in glance("stores-info", by_password=True)


def test_images(glance: Commands, embedded: EmbeddedCloud, image_id: str, disk: Path, tmp_path: Path) -> None:
    """An image is given data, listed, shown, changed, downloaded, deactivated and activated again."""
    glance("image-upload", image_id, "--file", str(disk), "--store", "cheap")
    glance("image-update", image_id, "--name", "renamed", "--min-ram", "64", "--property", "arch=arm")
    glance("image-update", image_id, "--remove-property", "arch")
    glance("image-tag-update", image_id, "one")
    glance("image-tag-update", image_id, "two words")
    glance("image-tag-delete", image_id, "one")
    glance("image-download", image_id, "--file", str(tmp_path / "out.raw"))

    assert [image_id, "renamed"] in rows(glance("image-list"))
    shown = described(glance("image-show", image_id))
    assert (shown["status"], shown["size"], shown["tags"]) == ("active", str(len(DISK)), '["two words"]')
    assert (tmp_path / "out.raw").read_bytes() == DISK
    held = embedded.held(f"images/{image_id}")
    assert (held["name"], held["min_ram"], held["tags"], held["stores"]) == ("renamed", 64, ["two words"], "cheap")
    assert "arch" not in held
    glance("image-deactivate", image_id)
    assert embedded.held(f"images/{image_id}")["status"] == "deactivated"
    assert "403" in glance.error("image-download", image_id, "--file", str(tmp_path / "none"))
    glance("image-reactivate", image_id)
    assert embedded.held(f"images/{image_id}")["status"] == "active"


def test_image_from_a_file(glance: Commands, embedded: EmbeddedCloud, disk: Path) -> None:
    """image-create uploads the file that it is given; image-delete takes several IDs."""
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for image_id in ids:
        glance("image-create", "--id", image_id, "--file", str(disk), "--property", "os_distro=debian", *RAW)

    for held in (embedded.held(f"images/{image_id}") for image_id in ids):
        assert (held["status"], held["size"], held["os_distro"]) == ("active", len(DISK), "debian")
    glance("image-delete", *ids)
    for image_id in ids:
        assert "404" in glance.error("image-show", image_id)


def test_sharing(glance: Commands, embedded: EmbeddedCloud, image_id: str) -> None:
    """An image is offered to a project, which takes it, and is taken back."""
    guest_id = embedded.project_id("other")
    assert rows(glance("member-create", image_id, guest_id)) == [[image_id, guest_id, "pending"]]
    assert [image_id, "glance image"] not in rows(glance("image-list", identity="other"))
    glance("member-update", image_id, guest_id, "accepted", identity="other")

    assert [image_id, "glance image"] in rows(glance("image-list", identity="other"))
    accepted = [[image_id, guest_id, "accepted"]]
    assert rows(glance("member-list", "--image-id", image_id)) == accepted
    assert described(glance("member-get", image_id, guest_id))["status"] == "accepted"
    assert [each["status"] for each in embedded.held(f"images/{image_id}/members")["members"]] == ["accepted"]
    glance("member-delete", image_id, guest_id)
    assert embedded.held(f"images/{image_id}/members")["members"] == []


def settled(embedded: EmbeddedCloud, image_id: str) -> Image:
    """Wait until no import is at work on an image."""
    return embedded.connect().wait_for_image(image_id, interval=0.1, wait=60)


def test_imports(glance: Commands, embedded: EmbeddedCloud, image_id: str, disk: Path) -> None:
    """Data is staged and imported, copied to a second store, and removed from the first."""
    assert "web-download" in glance("import-info")
    glance("image-stage", image_id, "--file", str(disk))
    assert embedded.held(f"images/{image_id}")["status"] == "uploading"
    glance("image-import", image_id, "--import-method", "glance-direct")
    assert (settled(embedded, image_id).size, settled(embedded, image_id).stores) == (len(DISK), "fast")
    assert [row[:2] for row in rows(glance("image-tasks", image_id))] == [["", "success"]]

    glance("image-import", image_id, "--import-method", "copy-image", "--stores", "cheap", identity="admin")
    assert settled(embedded, image_id).stores == "fast,cheap"
    assert "data_dir" in glance("stores-info", "--detail", identity="admin")
    glance("stores-delete", image_id, "--store", "fast", identity="admin")
    assert embedded.held(f"images/{image_id}")["stores"] == "cheap"


def test_create_via_import(glance: Commands, embedded: EmbeddedCloud, image_server: HttpStub) -> None:
    """One command makes an image and has its data fetched."""
    image_id, uri = str(uuid.uuid4()), f"{image_server.url}/image"
    source = ("--import-method", "web-download", "--uri", uri, "--store", "cheap")
    glance("image-create-via-import", "--id", image_id, *RAW, *source)
    assert (settled(embedded, image_id).size, settled(embedded, image_id).stores) == (50_000, "cheap")
    glance("image-delete", image_id)


def test_tasks(glance: Commands, embedded: EmbeddedCloud, image_server: HttpStub) -> None:
    """A task makes an image; it is listed and shown."""
    properties = {"name": "by a task", "disk_format": "raw", "container_format": "bare"}
    uri = f"{image_server.url}/image"
    wanted = {"import_from": uri, "import_from_format": "raw", "image_properties": properties}
    made = described(glance("task-create", "--type", "import", "--input", json.dumps(wanted), identity="admin"))
    ended = embedded.connect("admin").wait_for_task(made["id"], interval=0.1, wait=60)

    assert [made["id"], "import", "success"] in [row[:3] for row in rows(glance("task-list", identity="admin"))]
    assert described(glance("task-show", made["id"], identity="admin"))["status"] == "success"
    held = embedded.held(f"images/{ended.result['image_id']}")
    assert (held["name"], held["status"], held["size"]) == ("by a task", "active", 50_000)
    glance("image-delete", held["id"], identity="admin")


def test_locations(glance: Commands, embedded: EmbeddedCloud, image_id: str, image_server: HttpStub) -> None:
    """Data comes from where a location points to; what the service has stored, nobody changes by hand."""
    uri = f"{image_server.url}/image"
    glance("add-location", image_id, "--url", uri)
    assert (settled(embedded, image_id).size, settled(embedded, image_id).stores) == (50_000, "fast")

    assert "403" in glance.error("location-add", image_id, "--url", uri, identity="admin")
    # For these the client asks whether locations are shown at all.
    for error in (
        glance.error("location-update", image_id, "--url", uri, "--metadata", '{"a": "b"}', identity="admin"),
        glance.error("location-delete", image_id, "--url", uri, identity="admin"),
    ):
        assert "disabled API access to image locations" in error
    assert [each["metadata"] for each in embedded.held(f"images/{image_id}/locations")] == [{"store": "fast"}]


def test_usage(glance: Commands) -> None:
    """A service without limits names none."""
    assert table(glance("usage")) == [["Quota", "Limit", "Usage"]]


def test_cache(glance: Commands, image_id: str) -> None:
    """The client reads from the service's versions that there is no cache."""
    for error in (
        glance.error("cache-list", identity="admin"),
        glance.error("cache-queue", image_id, identity="admin"),
        glance.error("cache-delete", image_id, identity="admin"),
        glance.error("cache-clear", identity="admin"),
        glance.error("cache-nodes-list", image_id, identity="admin"),
        glance.error("cache-clean", identity="admin"),
        glance.error("cache-prune", identity="admin"),
    ):
        assert "does not support image caching API" in error


# --- metadata definitions -----------------------------------------------------------------------------------


def test_namespaces(glance: Commands, embedded: EmbeddedCloud, namespace: str, tmp_path: Path) -> None:
    """A namespace is listed, shown and changed; a whole one comes out of a file."""
    assert [namespace] in rows(glance("md-namespace-list", "--visibility", "public"))
    glance("md-namespace-update", namespace, "--description", "new", identity="admin")
    assert described(glance("md-namespace-show", namespace))["description"] == "new"
    held = embedded.held(f"metadefs/namespaces/{namespace}")
    assert (held["description"], held["visibility"], held["protected"]) == ("new", "public", False)

    whole = {
        "namespace": "Glance::Whole",
        "properties": {"speed": TEXT},
        "objects": [{"name": "disk", "properties": {"bus": TEXT}}],
        "tags": [{"name": "one"}],
        "resource_type_associations": [{"name": "OS::Glance::Test", "prefix": "hw_"}],
    }
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    glance("md-namespace-import", "--file", str(tmp_path / "whole.json"), identity="admin")
    held = embedded.held("metadefs/namespaces/Glance::Whole")
    assert (list(held["properties"]), held["tags"]) == (["speed"], [{"name": "one"}])
    assert [each["name"] for each in held["objects"]] == ["disk"]
    assert [each["prefix"] for each in held["resource_type_associations"]] == ["hw_"]
    glance("md-namespace-delete", "Glance::Whole", identity="admin")
    assert "403" in glance.error("md-namespace-create", "Glance::Other")


def test_properties(glance: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A property is made, listed, shown, changed and deleted, and all that are left at once."""

    def create(name: str) -> None:
        schema = ("--title", "A speed", "--type", "integer", "--schema", json.dumps({"minimum": 1}))
        glance("md-property-create", namespace, "--name", name, *schema, identity="admin")

    def held() -> dict[str, Any]:
        properties: dict[str, Any] = embedded.held(f"metadefs/namespaces/{namespace}/properties")["properties"]
        return properties

    create("speed")
    assert rows(glance("md-property-list", namespace)) == [["speed", "A speed", "integer"]]
    glance("md-property-update", namespace, "speed", "--title", "Speed", identity="admin")
    shown = described(glance("md-property-show", namespace, "speed"))
    assert (shown["title"], shown["minimum"]) == ("Speed", "1")
    assert (held()["speed"]["title"], held()["speed"]["minimum"]) == ("Speed", 1)
    create("left")
    glance("md-property-delete", namespace, "speed", identity="admin")
    assert list(held()) == ["left"]
    glance("md-namespace-properties-delete", namespace, identity="admin")
    assert held() == {}


def test_objects(glance: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """An object is made, listed, shown with its property, renamed and deleted, and all that are left at once."""

    def create(name: str) -> None:
        schema = json.dumps({"description": "a disk", "properties": {"bus": TEXT}})
        glance("md-object-create", namespace, "--name", name, "--schema", schema, identity="admin")

    def held() -> list[str]:
        return [each["name"] for each in embedded.held(f"metadefs/namespaces/{namespace}/objects")["objects"]]

    create("disk")
    assert rows(glance("md-object-list", namespace)) == [["disk", "a disk"]]
    assert described(glance("md-object-property-show", namespace, "disk", "bus"))["title"] == "A text"
    glance("md-object-update", namespace, "disk", "--name", "drive", identity="admin")
    assert described(glance("md-object-show", namespace, "drive"))["description"] == "a disk"
    assert held() == ["drive"]
    create("left")
    glance("md-object-delete", namespace, "drive", identity="admin")
    assert held() == ["left"]
    glance("md-namespace-objects-delete", namespace, identity="admin")
    assert held() == []


def test_tags(glance: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A tag is made, several at once, listed, shown, renamed and deleted, and all that are left at once."""

    def held() -> set[str]:
        return {each["name"] for each in embedded.held(f"metadefs/namespaces/{namespace}/tags")["tags"]}

    glance("md-tag-create", namespace, "--name", "one", identity="admin")
    assert rows(glance("md-tag-list", namespace)) == [["one"]]
    # They take the place of what was there.
    glance("md-tag-create-multiple", namespace, "--names", "two,three", identity="admin")
    assert held() == {"two", "three"}
    glance("md-tag-update", namespace, "two", "--name", "second", identity="admin")
    assert described(glance("md-tag-show", namespace, "second"))["name"] == "second"
    glance("md-tag-delete", namespace, "three", identity="admin")
    assert held() == {"second"}
    glance("md-namespace-tags-delete", namespace, identity="admin")
    assert held() == set()


def test_resource_types(glance: Commands, embedded: EmbeddedCloud, namespace: str) -> None:
    """A resource type is associated with a namespace, listed, and let go; the type itself stays."""
    path = f"metadefs/namespaces/{namespace}/resource_types"
    association = ("--name", "OS::Glance::Test", "--prefix", "hw_", "--properties-target", "image")
    glance("md-resource-type-associate", namespace, *association, identity="admin")
    assert rows(glance("md-namespace-resource-type-list", namespace)) == [["OS::Glance::Test", "hw_", "image"]]
    assert [each["name"] for each in embedded.held(path)["resource_type_associations"]] == ["OS::Glance::Test"]
    glance("md-resource-type-deassociate", namespace, "OS::Glance::Test", identity="admin")
    assert embedded.held(path)["resource_type_associations"] == []
    assert ["OS::Glance::Test"] in rows(glance("md-resource-type-list"))
