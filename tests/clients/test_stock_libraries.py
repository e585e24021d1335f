"""openstacksdk and python-glanceclient, unmodified: every method, with the same outcome as against a real Glance."""

from __future__ import annotations

from typing import Any

import pytest
from clouds import Cloud, EmbeddedCloud
from stock import CHECKSUM, SIZE, TEXT, drive

from support.http_stub import HttpStub

Facts = dict[str, Any]
#: What the drivers ask of the cache.
CACHE = ("get", "queue", "delete", "clear", "nodes", "clean", "prune")
#: What is left of an empty namespace; both drivers give theirs the same words.
BARE = {"display_name": "For tests", "visibility": "public", "protected": False}


def _drive(cloud: Cloud, driver: str, server: HttpStub) -> Facts:
    facts: Facts = drive(
        cloud,
        "stock",
        driver,
        ["member", "other", "admin"],
        guest_id=cloud.project_id("other"),
        uri=f"{server.url}/image",
        missing=f"{server.url}/missing",
    )
    return facts


@pytest.fixture(scope="module")
def openstacksdk(cloud: Cloud, image_server: HttpStub) -> Facts:
    """What openstacksdk saw of a cloud."""
    return _drive(cloud, "use_openstacksdk.py", image_server)


@pytest.fixture(scope="module")
def glanceclient(cloud: Cloud, image_server: HttpStub) -> Facts:
    """What python-glanceclient saw of a cloud."""
    return _drive(cloud, "use_glanceclient.py", image_server)


# --- openstacksdk -------------------------------------------------------------------------------------------


def test_openstacksdk_is_driven_whole(openstacksdk: Facts) -> None:
    """Every public method of its image proxy is called."""
    assert openstacksdk["never called"] == []


def test_openstacksdk_interfaces(openstacksdk: Facts) -> None:
    """The service is found whichever interface the configuration asks for."""
    assert openstacksdk["interfaces"] == ["public", "internal", "admin"]


def test_openstacksdk_images(openstacksdk: Facts) -> None:
    """Images, members, tags, schemas; and that there is no cache."""
    assert openstacksdk["images"] == {
        "created": ["active", SIZE, "sha512", "debian"],
        "waited for": True,
        "found by name": True,
        "found by ID": True,
        "not found": None,
        "downloaded": True,
        "updated": ["sdk renamed", 128, "13"],
        "properties updated": ["scsi", 1, "13"],
        "tags": ["second"],
        "listed by tag": ["sdk renamed"],
        "deactivated": "deactivated",
        "download of deactivated refused": True,
        "reactivated": "active",
        "delete of protected": "ForbiddenException",
        "deleted": "NotFoundException",
        "made without bytes": "queued",
        "uploaded": CHECKSUM,
        "pages": [f"sdk page {number}" for number in range(5)],
        "invited": ["pending", True],
        "listed before": [],
        "accepted": "accepted",
        "listed after": ["sdk shared"],
        "members": ["accepted"],
        "one member": "accepted",
        "member found": "accepted",
        "gone for the guest": "NotFoundException",
        "schemas": {
            "get_image_schema": "image",
            "get_images_schema": "images",
            "get_member_schema": "member",
            "get_members_schema": "members",
            "get_metadef_namespace_schema": "namespace",
            "get_metadef_namespaces_schema": "namespaces",
            "get_metadef_object_schema": "object",
            "get_metadef_objects_schema": "objects",
            "get_metadef_properties_schema": "properties",
            "get_metadef_property_schema": "property",
            "get_metadef_resource_type_schema": "resource_type_association",
            "get_metadef_resource_types_schema": "resource_type_associations",
            "get_metadef_tag_schema": "tag",
            "get_metadef_tags_schema": "tags",
            "get_task_schema": "task",
            "get_tasks_schema": "tasks",
        },
        "cache for an administrator": dict.fromkeys(CACHE, "NotFoundException"),
        "cache for a member": dict.fromkeys(CACHE, "ForbiddenException"),
    }


def test_openstacksdk_imports(openstacksdk: Facts, cloud: Cloud) -> None:
    """Imports, stores, locations and tasks; a task that fails leaves no image."""
    # A Glance needs an http store for a member's locations, and these tests' has none.
    added = [None, ["active", 50_000], [["file", "fast"]]]
    refused = ["ForbiddenException", ["queued", None], []]
    location = added if isinstance(cloud, EmbeddedCloud) else refused

    assert openstacksdk["imports"] == {
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
        "location": location,
        "locations for members": "ForbiddenException",
        "task": ["import", True],
        "image of the task": ["by a task", "active", 50_000],
        "failed task": ["failure", None, True],
        "images of the failed task": 0,
    }


def test_openstacksdk_metadefs(openstacksdk: Facts) -> None:
    """Metadata definitions of each kind, as the client shows them and as the service then holds them."""
    bare = {"namespace": "Sdk::Test", **BARE}
    tags = [{"name": "three"}, {"name": "one"}]

    assert openstacksdk["metadefs"] == {
        "created": ["Sdk::Test", "For tests", "public", False],
        "listed": True,
        "creation by a member": "ForbiddenException",
        # A namespace is replaced whole, so what is not named is cleared.
        "shown": ["more", None, True],
        "deletion of protected": "ForbiddenException",
        "namespace held": bare,
        "property": ["speed", "string"],
        "properties": [["speed", "Speed", 1]],
        "one property": "Speed",
        "object": ["disk", ["bus"]],
        "objects": [["drive", "renamed"]],
        "one object": {"bus": TEXT},
        "association": ["OS::Sdk::Test", "hw_"],
        "associations": ["OS::Sdk::Test"],
        "resource type": True,
        "definitions held": {
            **bare,
            "properties": {"speed": {"name": "speed", "title": "Speed", "type": "integer", "minimum": 1}},
            "objects": [{"name": "drive", "description": "renamed", "required": [], "properties": {"bus": TEXT}}],
            "tags": tags,
            "resource_type_associations": [{"name": "OS::Sdk::Test", "prefix": "hw_"}],
        },
        "left": {
            **bare,
            "properties": {"left": {"name": "left", **TEXT}},
            "objects": [{"name": "left", "required": [], "properties": {}}],
            "tags": tags,
        },
        "nothing left": bare,
        "gone": "NotFoundException",
    }


# --- python-glanceclient ------------------------------------------------------------------------------------


def test_glanceclient_is_driven_whole(glanceclient: Facts) -> None:
    """Every public method of its controllers is called."""
    assert glanceclient["never called"] == []


def test_glanceclient_images(glanceclient: Facts) -> None:
    """Images, members, tags, schemas, versions and usage; and that there is no cache."""
    assert glanceclient["images"] == {
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
        "version": ["v2.17"],
        "usage": {},
        # It reads from the versions that there is none, and asks nothing more.
        "cache": dict.fromkeys(("supported", "list", *CACHE[1:]), "HTTPNotImplemented"),
    }


def test_glanceclient_imports(glanceclient: Facts, cloud: Cloud) -> None:
    """Imports, stores, locations and tasks."""
    added = [None, ["active", 50_000], [["file", "fast"]]]
    refused = ["HTTPForbidden", ["queued", None], []]
    location = added if isinstance(cloud, EmbeddedCloud) else refused

    assert glanceclient["imports"] == {
        "methods": ["copy-image", "glance-direct", "web-download"],
        "stores": ["cheap", "fast"],
        "details": [True, True],
        "staged": "uploading",
        "glance-direct": ["active", 160_000, ["cheap", "fast"]],
        "out of one store": "cheap",
        "web-download": ["active", 50_000, "cheap"],
        "tasks": ["success"],
        "location": location,
        "locations for members": "HTTPForbidden",
        "location patched": "HTTPForbidden",
        # For these two it looks first whether the image shows its locations.
        "location updated": "HTTPBadRequest",
        "location removed": "HTTPBadRequest",
        "task": ["import", True],
        "image of the task": ["success", "gc by a task", "active", 50_000],
        "task listed": True,
    }


def test_glanceclient_metadefs(glanceclient: Facts) -> None:
    """Metadata definitions of each kind, as the client shows them and as the service then holds them."""
    bare = {"namespace": "Gc::Test", "description": "more", **BARE}
    speed = {"name": "speed", "title": "Speed", "type": "integer", "minimum": 1, "uniqueItems": False}

    assert glanceclient["metadefs"] == {
        "created": ["Gc::Test", "For tests", "public", False],
        "listed": True,
        "creation by a member": "HTTPForbidden",
        "updated": ["more", "For tests", True],
        "deletion of protected": "HTTPForbidden",
        "shown": "more",
        "namespace held": bare,
        "property": ["speed", "string"],
        "property updated": ["Speed", 1],
        "properties": ["speed"],
        "one property": "Speed",
        "object": ["disk", ["bus"]],
        "object updated": ["drive", "renamed"],
        "objects": ["drive"],
        "one object": {"bus": TEXT},
        "association": ["OS::Gc::Test", "hw_"],
        "associations": ["OS::Gc::Test"],
        "resource type": True,
        "prefixed": ["hw_speed"],
        "definitions held": {
            **bare,
            "properties": {"speed": speed},
            "objects": [{"name": "drive", "description": "renamed", "required": ["bus"], "properties": {"bus": TEXT}}],
            "resource_type_associations": [{"name": "OS::Gc::Test", "prefix": "hw_"}],
        },
        "tag": "one",
        "many tags": ["two", "three"],
        "tag renamed": "second",
        "one tag": "second",
        "tags": ["second"],
        "left": [["left"], ["left"]],
        "nothing left": bare,
        "gone": "HTTPNotFound",
    }
