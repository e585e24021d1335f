"""Members and tags: the same answers as Glance."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from twin import Twin

A, B, C = "a" * 32, "b" * 32, "c" * 32
CALLERS = ("member", "reader", "other", "admin", None)


@pytest.mark.parametrize("visibility", ["shared", "private", "community", "public"])
def test_membership(twin: Twin, visibility: str) -> None:
    """The same callers may offer, see, answer and take back."""
    made = twin.create("admin", visibility=visibility, owner=A)
    path = f"/v2/images/{made}/members"
    for who in CALLERS:
        twin.send("GET", path, who=who)
        twin.send("POST", path, {"member": B if who == "member" else C}, who=who)
        twin.send("GET", path, who=who)
        for member in (B, C, "nobody"):
            twin.send("GET", f"{path}/{member}", who=who)
            twin.send("PUT", f"{path}/{member}", {"status": "accepted"}, who=who)
    for who in CALLERS:
        twin.send("GET", f"/v2/images/{made}", who=who)
        twin.send("GET", "/v2/images", who=who)
        twin.send("DELETE", f"{path}/{B}", who=who)
        twin.send("GET", path, who=who)


@pytest.mark.parametrize("status", ["pending", "accepted", "rejected", "maybe", "", None, 1, ["accepted"]], ids=str)
def test_member_status(twin: Twin, status: Any) -> None:
    """The invited project answers; the list shows what it accepted."""
    made = twin.active()
    path = f"/v2/images/{made}/members"
    twin.send("POST", path, {"member": B})
    twin.send("PUT", f"{path}/{B}", {"status": status})
    twin.send("PUT", f"{path}/{B}", {"status": status}, who="other")
    for query in ("", "?member_status=pending", "?member_status=rejected", "?visibility=shared"):
        twin.send("GET", f"/v2/images{query}", who="other")
    twin.send("GET", f"/v2/images/{made}/file", who="other")


@pytest.mark.parametrize(
    "body",
    [{}, {"member": ""}, {"member": None}, {"member_id": B}, {"member": B, "x": 1}, {"member": A}, [B]],
    ids=str,
)
def test_offers(twin: Twin, body: Any) -> None:
    """What is no project ID is refused; any that is, is taken."""
    made = twin.create()
    twin.send("POST", f"/v2/images/{made}/members", body)
    twin.send("POST", f"/v2/images/{made}/members", body)
    twin.send("GET", f"/v2/images/{made}/members")


def test_member_that_is_a_number(twin: Twin) -> None:
    """A project ID is text, also where it looks like a number."""
    made = twin.create()
    twin.send("POST", f"/v2/images/{made}/members", {"member": 5}, differs="member-number")
    twin.send("GET", f"/v2/images/{made}/members")


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"5", b'"x"'], ids=repr)
def test_member_bodies(twin: Twin, data: bytes) -> None:
    """A body that is no object is refused."""
    made = twin.create()
    path = f"/v2/images/{made}/members"
    twin.send("POST", path, data=data)
    twin.send("POST", path, {"member": B})
    twin.send("PUT", f"{path}/{B}", data=data, who="other")
    twin.send("GET", path, data=b"x")
    twin.send("DELETE", f"{path}/{B}", data=b"x")


def test_member_statuses_without_status(twin: Twin) -> None:
    """The answer needs a status."""
    made = twin.create()
    path = f"/v2/images/{made}/members"
    twin.send("POST", path, {"member": B})
    for body in ({}, {"member": B}, {"status": "accepted", "member": B}, ["accepted"]):
        twin.send("PUT", f"{path}/{B}", body, who="other")


def test_coming_and_going(twin: Twin) -> None:
    """Memberships outlive a change of visibility, and not the member's removal."""
    made = twin.create()
    path = f"/v2/images/{made}/members"
    twin.send("POST", path, {"member": B})
    twin.send("PUT", f"{path}/{B}", {"status": "accepted"}, who="other")
    for visibility in ("private", "community", "shared"):
        twin.patch(made, {"op": "replace", "path": "/visibility", "value": visibility})
        twin.send("GET", f"/v2/images/{made}", who="other")
        twin.send("GET", path)
        twin.send("GET", f"{path}/{B}", who="other")
    twin.send("DELETE", f"{path}/{B}")
    twin.send("GET", f"/v2/images/{made}", who="other")
    twin.send("DELETE", f"{path}/{B}")
    twin.send("POST", path, {"member": B})


TAGS = (
    "a",
    "a b",
    "a,b:c;d",
    "a+b",
    "50%",
    "a.b",
    "'\"",
    "x" * 255,
    "x" * 256,
)


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: tag[:12])
def test_tags(twin: Twin, tag: str) -> None:
    """A tag goes on and off alike."""
    made = twin.create()
    path = f"/v2/images/{made}/tags/{quote(tag, safe='')}"
    for method in ("DELETE", "PUT", "PUT", "GET", "POST", "DELETE", "DELETE"):
        twin.send(method, path)
        twin.send("GET", f"/v2/images/{made}")


def test_tags_that_are_paths(twin: Twin) -> None:
    """A slash is no part of a tag in a path."""
    made = twin.create()
    for tail in ("tags", "tags/", "tags/a%2Fb", "tags/a/b"):
        for method in ("GET", "PUT"):
            twin.send(method, f"/v2/images/{made}/{tail}")


def test_tags_of_any_script(twin: Twin) -> None:
    """A tag in a path is UTF-8."""
    made = twin.create()
    twin.send("PUT", f"/v2/images/{made}/tags/{quote('ü')}")
    twin.send("GET", f"/v2/images/{made}", differs="path-utf8")
    twin.send("PUT", f"/v2/images/{made}/tags/%FF", differs="tag-undecodable")


@pytest.mark.parametrize("visibility", ["private", "shared", "community", "public"])
def test_who_may_tag(twin: Twin, visibility: str) -> None:
    """The same callers may tag."""
    made = twin.create("admin", visibility=visibility, owner=A)
    for who in CALLERS:
        twin.send("PUT", f"/v2/images/{made}/tags/t", who=who)
        twin.send("DELETE", f"/v2/images/{made}/tags/t", who=who)


def test_too_many_tags(twin: Twin) -> None:
    """There is room for 128 tags."""
    made = twin.create(tags=[str(number) for number in range(128)])
    twin.send("PUT", f"/v2/images/{made}/tags/one-more")
    twin.send("PUT", f"/v2/images/{made}/tags/5")
    twin.send("PUT", f"/v2/images/{made}/tags/t", {})
