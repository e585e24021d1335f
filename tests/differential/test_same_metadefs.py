"""Metadata definitions: the same answers as Glance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from twin import Twin

ROOT = "/v2/metadefs/namespaces"
CALLERS = ("admin", "member", "reader", "other", None)
STRING = {"title": "A", "type": "string"}

FULL: dict[str, Any] = {
    "namespace": "Full",
    "display_name": "All of it",
    "description": "Each kind of definition",
    "visibility": "public",
    "resource_type_associations": [
        {"name": "OS::Glance::Image", "prefix": "hw_", "properties_target": "image"},
        {"name": "OS::Nova::Flavor"},
    ],
    "properties": {
        "one": {**STRING, "enum": ["x", "y"], "default": "x", "operators": ["<in>"], "description": "d"},
        "two": {"title": "B", "type": "integer", "minimum": 0, "maximum": 9, "readonly": False},
        "many": {
            "title": "C",
            "type": "array",
            "items": {"type": "string", "enum": ["p"]},
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
        },
    },
    "objects": [
        {"name": "obj", "description": "o", "required": ["p"], "properties": {"p": STRING}},
        {"name": "bare"},
    ],
    "tags": [{"name": "t1"}, {"name": "t2"}],
}


@pytest.fixture
def metadefs(twin: Twin) -> Iterator[Twin]:
    """Both services; namespaces that a test made go after it."""
    yield twin
    for side in (twin.embedded, twin.glance):
        for namespace in side.send("admin", "GET", f"{ROOT}?limit=1000", None, {}).body["namespaces"]:
            path = ROOT + "/" + quote(namespace["namespace"], safe="")
            if namespace["protected"]:
                body = f'{{"namespace": "{namespace["namespace"]}"}}'.encode()
                side.send("admin", "PUT", path, body, {"Content-Type": "application/json"})
            side.send("admin", "DELETE", path, None, {})


def test_a_whole_namespace(metadefs: Twin) -> None:
    """A namespace with all kinds of definitions is made at once, and shown with and without prefixes."""
    metadefs.send("POST", ROOT, FULL, who="admin")
    for path in (
        "Full",
        "Full?resource_type=OS::Glance::Image",
        "Full?resource_type=OS::Nova::Flavor",
        "Full?resource_type=unknown",
        "Full/properties",
        "Full/objects",
        "Full/objects/obj",
        "Full/objects/none",
        "Full/objects?limit=1",
        "Full/objects?limit=0",
        "Full/tags",
        "Full/tags/t1",
        "Full/tags/none",
        "Full/resource_types",
        "Full/resource_types/OS::Nova::Flavor",
        "Full/properties/one",
        "Full/properties/none",
        "Full/properties/hw_one?resource_type=OS::Glance::Image",
        "Full/properties/one?resource_type=OS::Glance::Image",
        "Full/properties/one?resource_type=unknown",
        "Full/nothing",
    ):
        metadefs.send("GET", f"{ROOT}/{path}", who="reader")
    path = f"{ROOT}/Full/properties/one?resource_type=OS::Nova::Flavor"
    metadefs.send("GET", path, differs="metadef-no-prefix")
    metadefs.send("GET", ROOT)
    metadefs.send("POST", ROOT, FULL, who="admin")


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_who_may_do_what(metadefs: Twin, visibility: str) -> None:
    """Everybody reads what is public; only administrators write."""
    for who in CALLERS:
        metadefs.send("POST", ROOT, {"namespace": f"of {who}"}, who=who)
    metadefs.send("POST", ROOT, {**FULL, "visibility": visibility, "owner": "a" * 32}, who="admin")
    for who in reversed(CALLERS):
        for tail in ("", "/properties", "/properties/one", "/objects", "/objects/obj", "/tags", "/tags/t1"):
            metadefs.send("GET", f"{ROOT}/Full{tail}", who=who)
        metadefs.send("GET", ROOT, who=who)
        metadefs.send("GET", "/v2/metadefs/resource_types", who=who)
        if who == "admin":
            continue
        metadefs.send("PUT", f"{ROOT}/Full", {"namespace": "Full"}, who=who)
        metadefs.send("POST", f"{ROOT}/Full/properties", {"name": "n", **STRING}, who=who)
        metadefs.send("PUT", f"{ROOT}/Full/properties/one", {"name": "n", **STRING}, who=who)
        metadefs.send("POST", f"{ROOT}/Full/objects", {"name": "n"}, who=who)
        metadefs.send("POST", f"{ROOT}/Full/tags", {"tags": [{"name": "n"}]}, who=who)
        metadefs.send("POST", f"{ROOT}/Full/tags/n", who=who)
        metadefs.send("POST", f"{ROOT}/Full/resource_types", {"name": "n"}, who=who)
        for tail in ("", "/properties", "/properties/one", "/objects/obj", "/tags/t1", "/resource_types/n"):
            metadefs.send("DELETE", f"{ROOT}/Full{tail}", who=who)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"namespace": 5},
        {"namespace": None},
        {"namespace": "n" * 81},
        {"namespace": "n", "display_name": "d" * 81},
        {"namespace": "n", "description": "d" * 501},
        {"namespace": "n", "visibility": "shared"},
        {"namespace": "n", "protected": "yes"},
        {"namespace": "n", "unknown": 1},
        {"namespace": "n", "self": "x"},
        {"namespace": "n", "schema": "x"},
        {"namespace": "n", "created_at": "x"},
        {"namespace": "n", "updated_at": "x"},
        {"namespace": "n", "properties": {"p": {}}},
        {"namespace": "n", "properties": {"p": {"title": "t", "type": "date"}}},
        {"namespace": "n", "properties": []},
        {"namespace": "n", "objects": [{"name": "o", "properties": {"p": {}}}]},
        {"namespace": "n", "objects": [{"name": "o"}, {"name": "o"}]},
        {"namespace": "n", "tags": [{"name": "t"}, {"name": "t"}]},
        {"namespace": "n", "tags": ["t"]},
        {"namespace": "n", "resource_type_associations": [{"name": "r"}, {"name": "r"}]},
        {"namespace": "n", "owner": "b" * 32},
        {"namespace": "n", "visibility": "private", "protected": True},
        {"namespace": "a b"},
    ],
    ids=lambda body: str(body)[:50],
)
def test_namespace_bodies(metadefs: Twin, body: dict[str, Any]) -> None:
    """What makes a namespace, and what does not, is the same; nothing is left of what failed."""
    metadefs.send("POST", ROOT, body, who="admin")
    metadefs.send("GET", ROOT, who="admin")
    if isinstance(body.get("namespace"), str) and body["namespace"]:
        metadefs.send("GET", f"{ROOT}/{quote(body['namespace'])}", who="admin")


def test_replacing_a_namespace(metadefs: Twin) -> None:
    """A replacement is complete, may rename, and keeps what is defined inside."""
    metadefs.send("POST", ROOT, FULL, who="admin")
    metadefs.send("POST", ROOT, {"namespace": "Other"}, who="admin")
    for name, body in (
        ("Full", {"namespace": "Full", "display_name": "x"}),
        ("Full", {"namespace": "Other"}),
        ("Full", {"namespace": "New", "visibility": "public", "owner": "b" * 32}),
        ("Full", {"namespace": "Full"}),
        ("New", {"visibility": "public"}),
        ("New", {"namespace": "New", "visibility": "x"}),
        ("none", {"namespace": "none"}),
    ):
        metadefs.send("PUT", f"{ROOT}/{name}", body, who="admin")
        for shown in ("Full", "New"):
            metadefs.send("GET", f"{ROOT}/{shown}", who="admin")
    metadefs.send("PATCH", f"{ROOT}/New", [], who="admin")


def test_protection(metadefs: Twin) -> None:
    """Nothing of a protected namespace can be deleted."""
    metadefs.send("POST", ROOT, {**FULL, "protected": True}, who="admin")
    tails = ("", "/properties", "/properties/one", "/objects", "/objects/obj", "/tags", "/tags/t1", "/resource_types/x")
    for tail in (*tails, "/resource_types/OS::Nova::Flavor", "/objects/none"):
        metadefs.send("DELETE", f"{ROOT}/Full{tail}", who="admin")
        metadefs.send("DELETE", f"{ROOT}/Full{tail}", who="member")
    metadefs.send("PUT", f"{ROOT}/Full/properties/two", {"name": "two", **STRING}, who="admin")
    metadefs.send("POST", f"{ROOT}/Full/tags/more", who="admin")
    metadefs.send("GET", f"{ROOT}/Full", who="admin")
    metadefs.send("PUT", f"{ROOT}/Full", {"namespace": "Full"}, who="admin")
    for tail in reversed(tails):
        metadefs.send("DELETE", f"{ROOT}/Full{tail}", who="admin")
        metadefs.send("GET", f"{ROOT}/Full", who="admin")


def test_properties(metadefs: Twin) -> None:
    """Properties come, change and go one by one."""
    metadefs.send("POST", ROOT, {"namespace": "N"}, who="admin")
    path = f"{ROOT}/N/properties"
    for body in (
        {"name": "p", **STRING},
        {"name": "p", **STRING},
        {"name": "n" * 81, **STRING},
        STRING,
        {"name": "p"},
        {"name": "r", **STRING, "x": 1},
        {"name": "r", **STRING, "minLength": -1},
        {"name": "r", **STRING, "required": []},
        {"name": "s", **STRING, "pattern": "["},
        {"name": "q", **STRING},
    ):
        metadefs.send("POST", path, body, who="admin")
    for name, body in (
        ("p", {"name": "p", "title": "new", "type": "boolean"}),
        ("p", {"name": "renamed", **STRING}),
        ("none", {"name": "none", **STRING}),
        ("q", STRING),
    ):
        metadefs.send("PUT", f"{path}/{name}", body, who="admin")
        metadefs.send("GET", path)
        metadefs.send("GET", path, who="admin")
    metadefs.send("DELETE", f"{path}/q", who="admin")
    metadefs.send("DELETE", f"{path}/q", who="admin")
    metadefs.send("DELETE", path, who="admin")
    metadefs.send("GET", path, who="admin")


def test_where_glance_fails(metadefs: Twin) -> None:
    """What is wrong is 400 or 409 here, and what is right is kept as it was sent."""
    failing = {"n1": {"p": {**STRING, "unknown": 1}}, "n2": {"p": {**STRING, "required": ["a"]}}}
    for name, properties in failing.items():
        metadefs.send("POST", ROOT, {"namespace": name, "properties": properties}, who="admin", differs="metadef-500")
    for kind in ("objects", "tags", "resource_type_associations"):
        metadefs.send("POST", ROOT, {"namespace": "n3", kind: [{}]}, who="admin", differs="metadef-500")
        metadefs.send(
            "POST", ROOT, {"namespace": "n3", kind: [{"name": ""}]}, who="admin", differs="metadef-empty-name"
        )
    empty = {"namespace": "n3", "properties": {"": STRING}}
    metadefs.send("POST", ROOT, empty, who="admin", differs="metadef-empty-name")
    metadefs.send("POST", ROOT, {"namespace": "N"}, who="admin")
    path = f"{ROOT}/N/properties"
    metadefs.send("POST", path, [], who="admin", differs="metadef-500")
    metadefs.send("POST", path, {"name": "p", **STRING}, who="admin")
    metadefs.send("POST", path, {"name": "q", **STRING}, who="admin")
    metadefs.send("PUT", f"{path}/p", {"name": "q", **STRING}, who="admin", differs="metadef-500")
    metadefs.send("DELETE", path, {}, who="admin", differs="metadef-500")
    half = {"name": "r", "title": "t", "type": "number", "minimum": 0.5, "default": 1}
    metadefs.send("POST", path, half, who="admin", differs="metadef-numbers")
    metadefs.send("POST", f"{ROOT}/N/objects", {"name": ""}, who="admin", differs="metadef-empty-name")
    metadefs.send("POST", f"{ROOT}/N/tags", {}, who="admin", differs="metadef-500")
    metadefs.send("POST", f"{ROOT}/N/tags", [], who="admin", differs="metadef-500")


def test_tags_that_repeat(metadefs: Twin) -> None:
    """Of a list of tags all are stored or none."""
    metadefs.send("POST", ROOT, {"namespace": "N"}, who="admin")
    for names in (["old"], ["t", "t"], ["old", "new"]):
        metadefs.send("POST", f"{ROOT}/N/tags", {"tags": [{"name": name} for name in names]}, who="admin")
        metadefs.send("GET", f"{ROOT}/N/tags?sort_key=name&sort_dir=asc", who="admin")


def test_objects(metadefs: Twin) -> None:
    """Objects come, change and go one by one."""
    metadefs.send("POST", ROOT, {"namespace": "N"}, who="admin")
    path = f"{ROOT}/N/objects"
    for body in (
        {"name": "o"},
        {"name": "o"},
        {"name": "x", "description": "d", "properties": {"p": {**STRING, "default": "z"}}, "required": ["p"]},
        {"name": "y", "required": []},
        {"name": "z", "properties": {}},
        {},
        {"name": "n" * 81},
        {"name": "w", "properties": {"p": {"title": "t"}}},
        {"name": "w", "self": "x"},
        {"name": "a b/c"},
    ):
        metadefs.send("POST", path, body, who="admin")
    for name, body in (
        ("o", {"name": "o", "description": "new"}),
        ("x", {"name": "x2"}),
        ("none", {"name": "none"}),
        ("o", {}),
    ):
        metadefs.send("PUT", f"{path}/{name}", body, who="admin")
        metadefs.send("GET", f"{path}/{name}", who="admin")
    metadefs.send("GET", path, who="admin")
    metadefs.send("DELETE", f"{path}/o", who="admin")
    metadefs.send("DELETE", f"{path}/o", who="admin")
    metadefs.send("DELETE", path, who="admin")
    metadefs.send("GET", path, who="admin")


def test_metadef_tags(metadefs: Twin) -> None:
    """Tags come one by one or all at once."""
    metadefs.send("POST", ROOT, {"namespace": "N"}, who="admin")
    path = f"{ROOT}/N/tags"
    for name in ("a", "a", "b b", "ü", "n" * 81, "A"):
        metadefs.send("POST", f"{path}/{quote(name)}", who="admin", differs="path-utf8" if name == "ü" else None)
    metadefs.send("DELETE", path, who="admin")
    for name in "cadb":
        metadefs.send("POST", f"{path}/{name}", who="admin")
    for query in (
        "",
        "?limit=2",
        "?limit=0",
        "?limit=-1",
        "?marker=c",
        "?marker=none",
        "?sort_key=name&sort_dir=asc",
        "?sort_key=name&sort_dir=asc&marker=b",
        "?sort_key=name",
        "?sort_dir=x",
        "?sort_key=created_at&sort_dir=asc&limit=2",
    ):
        metadefs.send("GET", path + query, who="admin")
    metadefs.send("PUT", f"{path}/a", {"name": "z"}, who="admin")
    metadefs.send("PUT", f"{path}/z", {"name": "b"}, who="admin")
    metadefs.send("PUT", f"{path}/none", {"name": "n"}, who="admin")
    metadefs.send("PUT", f"{path}/z", {}, who="admin")
    metadefs.send("GET", f"{path}/z", who="admin")
    metadefs.send("POST", f"{path}/x", {}, who="admin")
    for append in ("", "True", "false"):
        for body in (
            {"tags": [{"name": "n1"}, {"name": "n2"}]},
            {"tags": [{"name": "n3"}]},
            {"tags": []},
            {"tags": [{"name": 5}]},
            {"tags": "x"},
        ):
            metadefs.send("POST", path, body, who="admin", X_Openstack_Append=append)
            metadefs.send("GET", f"{path}?sort_key=name&sort_dir=asc", who="admin")


def test_associations(metadefs: Twin) -> None:
    """A namespace is for several types of resource, and knows them by name."""
    metadefs.send("POST", ROOT, {"namespace": "N", "visibility": "public"}, who="admin")
    metadefs.send("POST", ROOT, {"namespace": "M", "visibility": "public"}, who="admin")
    path = f"{ROOT}/N/resource_types"
    for body in (
        {"name": "T1"},
        {"name": "T1"},
        {"name": "T2", "prefix": "p_", "properties_target": "image"},
        {},
        {"name": "T3", "prefix": 5},
        {"name": "T3", "prefix": "p" * 81},
        {"name": "T3", "created_at": "x"},
        {"name": "T3", "x": 1},
    ):
        metadefs.send("POST", path, body, who="admin")
    metadefs.send("GET", path)
    for query in ("T1", "T1,T2", "T9", ""):
        metadefs.send("GET", f"{ROOT}?resource_types={query}")
    metadefs.send("DELETE", f"{path}/T1", who="admin")
    metadefs.send("DELETE", f"{path}/T1", who="admin")
    metadefs.send("GET", path)


NAMESPACE_QUERIES = """
limit=2
limit=0
limit=-1
limit=1001
marker=N3
marker=none
marker=
sort_key=namespace&sort_dir=asc
sort_key=namespace
sort_key=namespace&sort_dir=asc&marker=N2&limit=2
sort_key=display_name&sort_dir=asc
sort_key=owner&sort_dir=asc
sort_dir=asc
sort_dir=x
visibility=public
visibility=private
visibility=x
visibility=
unknown=x
limit=2&visibility=public
""".strip().split("\n")


def test_lists_of_namespaces(metadefs: Twin) -> None:
    """Filters, order and pages of the list."""
    for number in range(5):
        body: dict[str, Any] = {"namespace": f"N{number}", "visibility": ("public", "private")[number % 2]}
        if number > 1:
            body |= {"display_name": f"D{9 - number}", "owner": "ab"[number % 2] * 32}
        metadefs.send("POST", ROOT, body, who="admin")
    for query in NAMESPACE_QUERIES:
        for who in ("admin", "member", "other"):
            metadefs.send("GET", f"{ROOT}?{query}", who=who)
    metadefs.send("GET", f"{ROOT}?limit=x", differs="metadef-list-500")
    metadefs.send("GET", f"{ROOT}?sort_key=x", differs="metadef-list-500")
