"""Staging, importing, stores, and what is refused of tasks and locations: the same answers as Glance."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from twin import OCTETS, Twin, image_id

CALLERS = ("member", "reader", "other", "admin", None)
RAW = {"disk_format": "raw", "container_format": "bare"}
DIRECT = {"method": {"name": "glance-direct"}}
NOWHERE = image_id(999_999)
LOCAL = {"name": "web-download", "uri": "http://127.0.0.1/x"}
IMPORTS = [
    {},
    {"method": {}},
    {"method": {"name": 5}},
    {"method": {"name": "unknown"}},
    {"method": {"name": "glance-download"}},
    {"method": {"name": "glance-download", "glance_region": "nowhere"}},
    {"method": {"name": "glance-download", "glance_region": "nowhere", "glance_image_id": "x"}},
    {"method": {"name": "web-download"}},
    {"method": {"name": "web-download", "uri": ""}},
    {"method": {"name": "web-download", "uri": "x"}},
    {"method": {"name": "web-download", "uri": "ftp://127.0.0.1/x"}},
    {"method": {"name": "web-download", "uri": "127.0.0.1"}},
    {"method": {"name": "web-download", "uri": "http://2130706433/x"}},
    {"method": {"name": "web-download", "uri": "http://127.1/x"}},
    {"method": {"name": "web-download", "uri": "http://[::1]/x"}},
    {"method": LOCAL, "stores": ["nowhere"]},
    {"method": LOCAL, "all_stores": "yes"},
    {"method": LOCAL, "all_stores": True, "stores": ["fast"]},
    {"method": {"name": "glance-direct"}},
    {"method": {"name": "glance-direct"}, "stores": ["nowhere"]},
    {"method": {"name": "glance-direct"}, "all_stores": "x"},
    {"method": {"name": "glance-direct"}, "all_stores_must_succeed": "x"},
    {"method": {"name": "glance-direct"}, "all_stores": True, "stores": ["fast"]},
    {"method": {"name": "copy-image"}},
    {"method": {"name": "copy-image"}, "stores": ["cheap"]},
]


def settle(twin: Twin, image: str) -> None:
    """Wait until neither side works on *image*."""
    for side in (twin.embedded, twin.glance):
        deadline = time.monotonic() + 20
        while side.send("admin", "GET", f"/v2/images/{image}", None, {}).body.get("os_glance_import_task"):
            assert time.monotonic() < deadline, side.url
            time.sleep(0.02)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("path", ["import", "stores", "stores/detail", "usage", "nothing"])
def test_info(twin: Twin, who: str | None, path: str) -> None:
    """What there is to import by and to store in is told to the same callers, and to be read only."""
    details = (path, who) == ("stores/detail", "admin")
    twin.send("GET", f"/v2/info/{path}", who=who, differs="stores-detail" if details else None)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        usage = path == "usage" and who is not None
        twin.send(method, f"/v2/info/{path}", who=who, differs="info-usage-method" if usage else None)


# --- staging and import -------------------------------------------------------------------------------------


def test_stage(twin: Twin) -> None:
    """Staged data is octets, comes once, and is nobody's to read; the formats are then fixed."""
    made = twin.create(**RAW)
    path = f"/v2/images/{made}/stage"
    for media_type in ("", "text/plain", "application/json"):
        twin.send("PUT", path, data=b"x", Content_Type=media_type)
    twin.send("PUT", path, data=b"0123456789", Content_Type=OCTETS)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("PUT", path, data=b"x", Content_Type=OCTETS)
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS)
    twin.patch(made, {"op": "replace", "path": "/disk_format", "value": "iso"})
    for method in ("GET", "POST", "DELETE"):
        twin.send(method, path)
    twin.send("GET", f"/v2/images/{made}/import")
    twin.send("PUT", f"/v2/images/{NOWHERE}/stage", data=b"x", Content_Type=OCTETS)
    twin.send("DELETE", f"/v2/images/{made}")


def test_stage_without_formats(twin: Twin) -> None:
    """Formats are not needed to stage, but to import."""
    made = twin.create()
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"", Content_Type=OCTETS)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)
    twin.send("DELETE", f"/v2/images/{made}")


@pytest.mark.parametrize("who", CALLERS)
def test_who_may_stage_and_import(twin: Twin, who: str | None) -> None:
    """Members of the project that owns the image, and administrators; not who only sees it."""
    made = twin.create(visibility="community", **RAW)
    path = f"/v2/images/{made}"
    twin.send("PUT", f"{path}/stage", data=b"x", who=who, Content_Type=OCTETS)
    twin.send("GET", path)
    if who not in ("member", "admin"):
        # Glance looks at the image's status before it looks at the caller's role.
        twin.send("POST", f"{path}/import", DIRECT, who=who, differs="import-order" if who else None)
        twin.send("PUT", f"{path}/stage", data=b"x", Content_Type=OCTETS)
    twin.send("POST", f"{path}/import", DIRECT, who=who)
    settle(twin, made)
    twin.send("GET", path)


def test_import_of_what_was_staged(twin: Twin) -> None:
    """Staged data becomes the image's data, in the stores that the client names; once."""
    made = twin.create(**RAW)
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"0123456789", Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", {**DIRECT, "stores": ["cheap", "fast"]})
    settle(twin, made)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)


def test_stores_that_are_no_list(twin: Twin) -> None:
    """Stores are a list."""
    made = twin.create(**RAW)
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"x", Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", {**DIRECT, "stores": "fast"}, differs="import-stores-text")


@pytest.mark.parametrize("body", IMPORTS, ids=json.dumps)
@pytest.mark.parametrize("state", ["queued", "active"])
def test_imports_that_are_refused(twin: Twin, body: dict[str, Any], state: str) -> None:
    """The same refusal, whatever is wrong, and the image stays as it was."""
    made = twin.active() if state == "active" else twin.create(**RAW)
    twin.send("POST", f"/v2/images/{made}/import", body)
    twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize("data", [b"", b"{", b"5", b"null"])
def test_imports_that_are_no_objects(twin: Twin, data: bytes) -> None:
    """A body that is not an object."""
    made = twin.create(**RAW)
    twin.send("POST", f"/v2/images/{made}/import", data=data, Content_Type="application/json")


def test_glance_download_from_a_region_that_is_not_there(twin: Twin) -> None:
    """It is accepted, its task fails, and the image is queued again, with the properties that it had."""
    made = twin.create(own="kept", **RAW)
    method = {"name": "glance-download", "glance_region": "nowhere", "glance_image_id": NOWHERE}
    twin.send("POST", f"/v2/images/{made}/import", {"method": method})
    settle(twin, made)
    twin.send("GET", f"/v2/images/{made}", differs="import-region-missing")
    for side in (twin.embedded, twin.glance):
        (task,) = side.send("member", "GET", f"/v2/images/{made}/tasks", None, {}).body["tasks"]
        assert task["status"] == "failure", side.url


def test_copy_where_nothing_is_left_to_copy(twin: Twin) -> None:
    """A copy to all stores succeeds when they all have the data; a copy to one of them by name does not."""
    made, everywhere = twin.active(), {"method": {"name": "copy-image"}, "all_stores": True}
    for _ in range(2):
        answer = twin.send("POST", f"/v2/images/{made}/import", everywhere, who="admin")
        assert answer.status == 202
        settle(twin, made)
        twin.send("GET", f"/v2/images/{made}")


# --- stores -------------------------------------------------------------------------------------------------


def test_copies_between_stores(twin: Twin) -> None:
    """An administrator copies data to another store, and removes it from one, but not from the last."""
    made, copy = twin.active(), {"method": {"name": "copy-image"}}
    cheap, everywhere = {**copy, "stores": ["cheap"]}, {**copy, "all_stores": True}
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    for body in ({**copy, "stores": ["fast"]}, cheap, everywhere):
        twin.send("POST", f"/v2/images/{made}/import", body)
        twin.send("POST", f"/v2/images/{made}/import", body, who="admin")
        settle(twin, made)
        twin.send("GET", f"/v2/images/{made}")
    twin.send("POST", f"/v2/images/{made}/import", cheap, who="admin")
    for who in CALLERS:
        twin.send("DELETE", f"/v2/stores/nowhere/{made}", who=who)
    twin.send("DELETE", f"/v2/stores/fast/{NOWHERE}", who="admin")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("DELETE", f"/v2/stores/cheap/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}/file")


@pytest.mark.parametrize("store", ["fast", "cheap", "nowhere"])
def test_upload_to_a_store(twin: Twin, store: str) -> None:
    """X-Image-Meta-Store, and where the image is then."""
    made = twin.create(**RAW)
    twin.send("PUT", f"/v2/images/{made}/file", data=b"0123456789", Content_Type=OCTETS, X_Image_Meta_Store=store)
    twin.send("GET", f"/v2/images/{made}")
    for wanted in ("fast", "cheap,fast", "nowhere"):
        twin.send("GET", f"/v2/images/{made}/file?prefer={wanted}")


def test_upload_to_a_reserved_store(twin: Twin) -> None:
    """What Glance keeps for itself is no store."""
    made = twin.create(**RAW)
    staging = {"Content_Type": OCTETS, "X_Image_Meta_Store": "os_glance_staging_store"}
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", differs="reserved-stores", **staging)


# --- tasks and locations ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", CALLERS)
def test_who_may_see_tasks(twin: Twin, who: str | None) -> None:
    """All of them: administrators; an image's: whoever sees the image. They are there to be read."""
    made = twin.create()
    for path in ("/v2/tasks/x", f"/v2/tasks/{NOWHERE}", f"/v2/images/{made}/tasks", f"/v2/images/{NOWHERE}/tasks"):
        twin.send("GET", path, who=who)
    if who != "admin":
        twin.send("GET", "/v2/tasks", who=who)
    other = who not in (None, "admin")
    twin.send("DELETE", f"/v2/tasks/{NOWHERE}", who=who, differs="tasks-delete" if other else None)
    for method in ("POST", "DELETE"):
        twin.send(method, f"/v2/images/{made}/tasks", who=who, differs="info-usage-method" if who else None)


@pytest.mark.parametrize("who", CALLERS)
def test_task_requests_that_are_refused(twin: Twin, who: str | None) -> None:
    """A task needs a type and an input; and what tasks cannot be listed by."""
    for body in ({}, {"type": "import"}, {"type": "x", "input": {}}, {"type": "import", "input": 5}, {"input": {}}):
        twin.send("POST", "/v2/tasks", body, who=who)
    for query in ("status=x", "type=x", "marker=x", "limit=-1", "limit=x", "sort_key=x", "sort_dir=x"):
        twin.send("GET", f"/v2/tasks?{query}", who=who)


@pytest.mark.parametrize("who", CALLERS)
def test_locations(twin: Twin, who: str | None) -> None:
    """Who may see them; nobody may change them by hand."""
    made, queued = twin.active(), twin.create(**RAW)
    for image in (made, queued, NOWHERE):
        # Where they are, each service knows for itself.
        if (image, who) != (made, "admin"):
            twin.send("GET", f"/v2/images/{image}/locations", who=who)
    for operation in (
        {"op": "add", "path": "/locations/-", "value": {"url": "http://127.0.0.1/x", "metadata": {}}},
        {"op": "add", "path": "/locations/0", "value": {"url": "http://127.0.0.1/x", "metadata": {}}},
        {"op": "replace", "path": "/locations", "value": []},
        {"op": "remove", "path": "/locations/0"},
    ):
        # Glance looks for the image first.
        twin.patch(made, operation, who=who, differs="patch-locations" if who == "other" else None)


def test_locations_that_are_no_addresses(twin: Twin) -> None:
    """A member's own file is no location, nor is anything another project's image's."""
    queued = twin.create(**RAW)
    twin.send("POST", f"/v2/images/{queued}/locations", {"url": "file:///etc/passwd"})
    twin.send("POST", f"/v2/images/{queued}/locations", {"url": "http://127.0.0.1/x"}, who="other")


@pytest.mark.parametrize("who", CALLERS)
def test_cache_of_an_unknown_image(twin: Twin, who: str | None) -> None:
    """There is no cache; Glance looks for the image before it looks at anything else."""
    other = who not in (None, "admin")
    twin.send("PUT", f"/v2/cache/{NOWHERE}", who=who, differs="cache-put" if other else None)
    twin.send("DELETE", f"/v2/cache/{NOWHERE}", who=who, differs="cache-delete" if who else None)
