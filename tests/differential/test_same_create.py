"""Creating images: the same answers as Glance."""

from __future__ import annotations

from typing import Any

import pytest
from twin import Twin

READ_ONLY = [
    "status",
    "size",
    "virtual_size",
    "checksum",
    "created_at",
    "updated_at",
    "self",
    "file",
    "schema",
    "direct_url",
    "stores",
    "locations",
    "location",
    "deleted",
    "deleted_at",
    "os_glance_import_task",
]
NAMES = (
    "",
    " ",
    "a b",
    "a/b~c",
    "Ünïcödé",
    "日本語の名前",
    "Ελληνικά",
    "עברית",
    "हिन्दी",
    "'; DROP TABLE images; --",
    '"',
    "%41%zz",
    "a\tb\nc",
    "x" * 255,
)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"name": None},
        {"name": "n", "disk_format": "qcow2", "container_format": "bare", "min_disk": 3, "min_ram": 2147483647},
        {"visibility": "private", "protected": True, "os_hidden": True},
        {"visibility": "community", "tags": ["b", "a", "b"]},
        {"tags": [""]},
        {"os_distro": "debian", "a.b": "", "owner_specified.openstack.md5": "x"},
        {"is_public": "yes", "copy_from": "y", "properties": "z", "store": "w"},
        {"disk_format": None, "container_format": None},
        {"value": "v" * 65_536},
    ],
    ids=lambda attributes: ",".join(attributes) or "nothing",
)
def test_good_bodies(twin: Twin, attributes: dict[str, Any]) -> None:
    """What can be created is created alike, and shown alike."""
    made = twin.create(**attributes)
    twin.send("GET", f"/v2/images/{made}")


def test_a_long_value(twin: Twin) -> None:
    """A value beyond the limit of one service is kept by the other, which has none."""
    twin.send("POST", "/v2/images", {"value": "v" * 65_537}, differs="property-bytes")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_in_many_scripts(twin: Twin, name: str) -> None:
    """Any name comes back as it was sent, and a filter finds it."""
    twin.create(name=name, tags=[name[:255]], **{f"p{name}"[:255]: name})


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": 1},
        {"name": "x" * 256},
        {"name": ["a"]},
        {"min_ram": -1},
        {"min_disk": 2147483648},
        {"min_disk": "1"},
        {"min_disk": 1.5},
        {"min_disk": True},
        {"min_ram": None},
        {"visibility": None},
        {"visibility": "all"},
        {"visibility": "PUBLIC"},
        {"tags": None},
        {"tags": "a"},
        {"tags": [1]},
        {"tags": ["x" * 256]},
        {"tags": [str(number) for number in range(129)]},
        {"protected": "true"},
        {"protected": 1},
        {"protected": None},
        {"os_hidden": "false"},
        {"disk_format": "exe"},
        {"disk_format": ""},
        {"container_format": "zip"},
        {"owner": 5},
        {"owner": "x" * 256},
        {"size": -1},
        {"custom": 1},
        {"custom": True},
        {"custom": None},
        {"custom": ["a"]},
        {"custom": {"a": "b"}},
        {f"p{number}": "v" for number in range(129)},
        {f"p{number}": "v" for number in range(128)},
    ],
    ids=lambda attributes: str(attributes)[:40],
)
def test_bad_values(twin: Twin, attributes: dict[str, Any]) -> None:
    """What the schema refuses is refused alike."""
    twin.create(**attributes)


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only_names(twin: Twin, name: str) -> None:
    """What only the service sets cannot be created with, whatever the value."""
    twin.create(**{name: "x"})
    twin.create(**{name: None})


@pytest.mark.parametrize("name", ["os_hash_algo", "os_hash_value"])
def test_hash_names(twin: Twin, name: str) -> None:
    """A hash at creation is refused here."""
    twin.send("POST", "/v2/images", {name: "x"}, differs="create-hash")


@pytest.mark.parametrize("image_id", ["x", "", "zz000000-0000-4000-8000-000000000000", None, 5, ["a"]], ids=str)
def test_ids_of_no_shape(twin: Twin, image_id: Any) -> None:
    """An ID must be a UUID."""
    twin.create(id=image_id)


def test_ids_that_are_taken(twin: Twin) -> None:
    """An ID can be used once, ever, by anyone."""
    made = twin.create()
    twin.create(id=made)
    twin.create("other", id=made)
    twin.create("admin", id=made)
    twin.send("DELETE", f"/v2/images/{made}")
    twin.create(id=made)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"text"',
        b"true",
        b"\xff\xfe",
        b'{"name": "\xff"}',
        b"{'name': 'x'}",
        b'{"name": "a",}',
        b'{"name": "a"} x',
        b"NaN",
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_bodies_that_are_no_objects(twin: Twin, data: bytes) -> None:
    """A body that is no JSON object is 400."""
    twin.send("POST", "/v2/images", data=data, Content_Type="application/json")


def test_body_of_great_depth(twin: Twin) -> None:
    """A body that is too deep to read is no JSON."""
    twin.send("POST", "/v2/images", data=b"[" * 20_000, differs="json-depth")


def test_body_that_is_a_list(twin: Twin) -> None:
    """A list is as wrong as any other body."""
    twin.send("POST", "/v2/images", [], differs="create-list")
    twin.send("POST", "/v2/images", [{"name": "x"}], differs="create-list")


def test_duplicate_keys(twin: Twin) -> None:
    """The last of two equal keys holds."""
    made = twin.new_id()
    twin.send("POST", "/v2/images", data=b'{"id": "%s", "name": "a", "name": "b"}' % made.encode())


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json; charset=utf-8", "application/xml"])
def test_content_type_is_not_looked_at(twin: Twin, media_type: str) -> None:
    """A creation is JSON whatever its content type says."""
    made = twin.new_id()
    twin.send("POST", "/v2/images", data=b'{"id": "%s"}' % made.encode(), Content_Type=media_type)


@pytest.mark.parametrize("who", ["member", "reader", "admin", "other", None, "nonsense"])
@pytest.mark.parametrize(
    "attributes",
    [{}, {"visibility": "public"}, {"owner": "a" * 32}, {"owner": "b" * 32}],
    ids=str,
)
def test_who_may_create(twin: Twin, who: str | None, attributes: dict[str, Any]) -> None:
    """The same callers may create the same images."""
    made = twin.new_id()
    twin.send("POST", "/v2/images", {"id": made, **attributes}, who=who)
    for viewer in ("member", "reader", "other", "admin"):
        twin.send("GET", f"/v2/images/{made}", who=viewer)


def test_images_of_nobody(twin: Twin) -> None:
    """An image without owner is the administrators', whatever its visibility."""
    for owner in (None, ""):
        twin.create(owner=owner)
    made = twin.create("admin", owner=None)
    twin.send("GET", f"/v2/images/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}", differs="no-owner")
    private = twin.create("admin", owner=None, visibility="private")
    twin.send("GET", f"/v2/images/{private}")
    twin.send("POST", "/v2/images", {"id": twin.new_id(), "owner": ""}, who="admin", differs="no-owner")


def test_whole_numbers_as_floats(twin: Twin) -> None:
    """2.0 is taken for 2, and shown as 2."""
    twin.send("POST", "/v2/images", {"id": twin.new_id(), "min_disk": 2.0}, differs="create-float")


def test_emoji(twin: Twin) -> None:
    """Characters beyond the first plane are characters."""
    twin.send("POST", "/v2/images", {"id": twin.new_id(), "name": "\U0001f600"}, differs="four-byte")
    twin.send("POST", "/v2/images", {"id": twin.new_id(), "tags": ["\U0001f600"]}, differs="four-byte")
    twin.send("POST", "/v2/images", {"id": twin.new_id(), "p": "\U0001f600"}, differs="four-byte")


def test_long_property_name(twin: Twin) -> None:
    """A property name has at most 255 characters."""
    twin.create(**{"n" * 255: "v"})
    twin.create(**{"n" * 256: "v"})
