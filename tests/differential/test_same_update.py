"""Updating images: the same answers as Glance."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twin import PATCH_20, PATCH_21, Twin

READ_ONLY = [
    "id",
    "status",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "created_at",
    "updated_at",
    "self",
    "file",
    "schema",
    "direct_url",
    "location",
    "deleted",
    "deleted_at",
    "os_glance_import_task",
]
BASE = [
    "name",
    "disk_format",
    "container_format",
    "visibility",
    "protected",
    "min_ram",
    "min_disk",
    "owner",
    "os_hidden",
    "tags",
]


def _op(op: str, path: str, value: Any = ...) -> dict[str, Any]:
    return {"op": op, "path": path} | ({} if value is ... else {"value": value})


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [_op("replace", "/name", "n")],
        [_op("add", "/name", "n")],
        [_op("replace", "/name", None)],
        [_op("replace", "/tags", ["b", "a", "b"])],
        [_op("add", "/tags", [])],
        [_op("add", "/new", "v"), _op("replace", "/new", "w"), _op("remove", "/new")],
        [_op("add", "/p", "again")],
        [_op("remove", "/p"), _op("add", "/p", "v")],
        [_op("remove", "/p")],
        [_op("replace", "/visibility", "community")],
        [_op("replace", "/protected", True), _op("replace", "/os_hidden", True)],
        [_op("replace", "/min_ram", 5), _op("replace", "/min_disk", 0)],
        [_op("replace", "/disk_format", "raw"), _op("replace", "/container_format", "bare")],
        [_op("replace", "/disk_format", None)],
        [_op("add", "/a~1b~0c", "v")],
        [_op("add", "/a~01", "v")],
        [_op("add", "/", "v")],
        [_op("add", "//n", "v")],
        [_op("add", "/日本", "語")],
        [{"op": "add", "path": "/x", "value": "v", "more": 1}],
        [{"op": "remove", "path": "/p", "value": "v"}],
    ],
    ids=lambda operations: json.dumps(operations)[:60],
)
def test_good_updates(twin: Twin, operations: list[Any]) -> None:
    """What can be changed is changed alike."""
    made = twin.create(p="v", q="w")
    twin.patch(made, *operations)
    twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize(
    "operations",
    [
        [None],
        ["x"],
        [[]],
        [{}],
        [{"op": "add"}],
        [{"op": "add", "path": "/x"}],
        [{"path": "/x", "value": "v"}],
        [_op("test", "/name", "n")],
        [_op("move", "/name", "n")],
        [_op("copy", "/name", "n")],
        [_op("ADD", "/x", "n")],
        [_op("add", "x", "n")],
        [_op("add", "", "n")],
        [_op("add", "/x/", "n")],
        [_op("add", "/x~2", "n")],
        [_op("add", "/x~", "n")],
        [_op("add", "/x/y", "n")],
        [_op("add", "/tags/0", "n")],
        [_op("add", "/tags/-", "n")],
        [_op("replace", "/nothing", "n")],
        [_op("remove", "/nothing")],
        [_op("add", "/x", 1)],
        [_op("add", "/x", None)],
        [_op("add", "/x", ["a"])],
        [_op("add", "/x", True)],
        [_op("replace", "/name", 1)],
        [_op("replace", "/name", "x" * 256)],
        [_op("replace", "/tags", "x")],
        [_op("replace", "/tags", None)],
        [_op("replace", "/tags", [1])],
        [_op("replace", "/tags", ["x" * 256])],
        [_op("replace", "/tags", [str(number) for number in range(129)])],
        [_op("replace", "/min_ram", -1)],
        [_op("replace", "/min_ram", 2147483648)],
        [_op("replace", "/min_ram", None)],
        [_op("replace", "/min_ram", "1")],
        [_op("replace", "/protected", "true")],
        [_op("replace", "/visibility", "secret")],
        [_op("replace", "/visibility", "public")],
        [_op("replace", "/disk_format", "exe")],
        [_op("replace", "/owner", "b" * 32)],
        [_op("replace", "/owner", None)],
        [_op("replace", "/name", "lost"), _op("remove", "/nothing")],
        [_op("add", f"/x{number}", "v") for number in range(129)],
        [_op("add", "/locations", [])],
        [_op("replace", "/locations", [])],
        [_op("remove", "/locations/0")],
        [_op("add", "/locations/-", {"url": "http://x/", "metadata": {}})],
        [{"op": ["add"], "path": "/x", "value": "v"}],
    ],
    ids=lambda operations: json.dumps(operations)[:60],
)
def test_bad_updates(twin: Twin, operations: list[Any]) -> None:
    """What cannot be changed so is refused alike, and nothing is stored of it."""
    made = twin.create(p="v")
    twin.patch(made, *operations)
    twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only(twin: Twin, name: str) -> None:
    """No operation touches what only the service sets."""
    made = twin.create()
    for operation in (_op("add", f"/{name}", "x"), _op("replace", f"/{name}", "x"), _op("remove", f"/{name}")):
        twin.patch(made, operation)


@pytest.mark.parametrize("name", BASE)
def test_base_attributes_stay(twin: Twin, name: str) -> None:
    """No attribute can be removed."""
    made = twin.create()
    twin.patch(made, _op("remove", f"/{name}"))


@pytest.mark.parametrize(
    "operations",
    [
        [{"add": "/new", "value": "v"}],
        [{"add": "/p", "value": "v"}],
        [{"add": "/name", "value": "v"}],
        [{"add": "/tags", "value": []}],
        [{"replace": "/p", "value": "w"}],
        [{"replace": "/name", "value": "w"}],
        [{"replace": "/nothing", "value": "w"}],
        [{"remove": "/p"}],
        [{"remove": "/nothing"}],
        [{"remove": "/name"}],
        [{"add": "/x", "remove": "/y", "value": "v"}],
        [{"add": "/x"}],
        [{"op": "add", "path": "/x", "value": "v"}],
        [{"add": "x", "value": "v"}],
        [{"move": "/x", "value": "v"}],
        [{}],
        [1],
        [],
    ],
    ids=json.dumps,
)
def test_the_older_dialect(twin: Twin, operations: list[Any]) -> None:
    """The 2.0 patch works alike."""
    made = twin.create(p="v")
    twin.patch(made, *operations, media=PATCH_20)
    twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "application/json",
        "application/json-patch+json",
        "text/plain",
        PATCH_21 + "; charset=utf-8",
        PATCH_21.upper(),
        "application/openstack-images-v2.2-json-patch",
    ],
)
def test_media_types(twin: Twin, media_type: str) -> None:
    """Both dialects have a media type, and there is no third."""
    made = twin.create()
    body = [_op("replace", "/name", "n")]
    twin.send("PATCH", f"/v2/images/{made}", data=json.dumps(body).encode(), Content_Type=media_type)


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"null", b'"x"', b"5", b"\xff"], ids=repr)
def test_bodies_that_are_no_lists(twin: Twin, data: bytes) -> None:
    """An update is a list."""
    made = twin.create()
    twin.send("PATCH", f"/v2/images/{made}", data=data, Content_Type=PATCH_21)


@pytest.mark.parametrize("visibility", ["private", "shared", "community", "public"])
@pytest.mark.parametrize("who", ["member", "reader", "other", "admin", None])
def test_who_may_change(twin: Twin, who: str | None, visibility: str) -> None:
    """The same callers may change, leave and delete the same images."""
    made = twin.create("admin", visibility=visibility, owner="a" * 32)
    twin.patch(made, who=who or "none")
    for operation in (
        _op("replace", "/name", "n"),
        _op("add", "/x", "v"),
        _op("replace", "/visibility", "public"),
        _op("replace", "/visibility", visibility),
        _op("replace", "/owner", "a" * 32),
    ):
        body = json.dumps([operation]).encode()
        twin.send("PATCH", f"/v2/images/{made}", data=body, who=who, Content_Type=PATCH_21)
    twin.send("DELETE", f"/v2/images/{made}", who=who)
    twin.send("GET", f"/v2/images/{made}", who="admin")


def test_formats_once_there_is_data(twin: Twin) -> None:
    """The formats are fixed with the data."""
    made = twin.active(p="v")
    twin.patch(made, _op("replace", "/disk_format", "qcow2"))
    twin.patch(made, _op("replace", "/disk_format", "raw"))
    twin.patch(made, _op("replace", "/container_format", "ovf"))
    twin.patch(made, _op("replace", "/name", "n"), _op("remove", "/p"))


@pytest.mark.parametrize("path", [5, ["/x"], None], ids=str)
def test_paths_that_are_no_text(twin: Twin, path: Any) -> None:
    """A path is text."""
    made = twin.create()
    twin.patch(made, {"op": "add", "path": path, "value": "v"}, differs="patch-path-type")


def test_giving_an_image_away(twin: Twin) -> None:
    """Only an administrator gives an image to another project."""
    made = twin.create()
    twin.send(
        "PATCH",
        f"/v2/images/{made}",
        [_op("add", "/owner", "b" * 32)],
        Content_Type=PATCH_21,
    )
    twin.send("GET", f"/v2/images/{made}", who="other", differs="patch-add-owner")
    kept = twin.create()
    twin.patch(kept, _op("replace", "/owner", "b" * 32), who="admin")
    twin.send("GET", f"/v2/images/{kept}", who="other")


_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=8)
_NAMES = st.sampled_from(["name", "tags", "p", "q", "new", "min_ram", "protected", "visibility", "size", "a~1b", "ü"])
#: Most of these are no pointers.
_POINTERS = _NAMES.map("/{}".format) | _TEXT.map("/{}".format) | st.text("/~01pü-", max_size=6)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**31),
    _TEXT,
    st.sampled_from(["private", "community", "shared"]),
    st.lists(st.sampled_from(["a", "b", "ü", 1]), max_size=3),
)
_OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove"]), "path": _POINTERS},
    optional={"value": _VALUES},
)


def _older(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation as the 2.0 patch has it."""
    rest = {name: value for name, value in operation.items() if name not in ("op", "path")}
    return {operation["op"]: operation["path"], **rest}


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(_OPERATION, max_size=4))
def test_any_update(twin: Twin, operations: list[dict[str, Any]]) -> None:
    """Whatever the operations, and in either dialect, both sides end with the same image or the same error."""
    for media, sent in ((PATCH_21, operations), (PATCH_20, [_older(each) for each in operations])):
        made = twin.create(p="v", q="w", tags=["t"])
        twin.patch(made, *sent, media=media)
        twin.send("GET", f"/v2/images/{made}")
    twin.check()
