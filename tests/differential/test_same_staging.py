"""Staging, tasks, locations and the cache: the same answers as Glance; imports and stores are beside this file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from twin import OCTETS, Twin

VIEWERS = ("member", "reader", "other", "admin")
RAW = {"disk_format": "raw", "container_format": "bare"}
NOWHERE = "3e1b9b3c-0000-4000-8000-000000000000"
IMPORTS = [
    {},
    {"method": {}},
    {"method": {"name": "unknown"}},
    {"method": {"name": "web-download"}},
    {"method": {"name": "web-download", "uri": ""}},
    {"method": {"name": "web-download", "uri": "ftp://127.0.0.1/x"}},
    {"method": {"name": "web-download", "uri": "127.0.0.1"}},
    {"method": {"name": "web-download", "uri": "http://2130706433/x"}},
    {"method": {"name": "web-download", "uri": "http://127.1/x"}},
    {"method": {"name": "web-download", "uri": "http://[::1]/x"}},
    {"method": {"name": "glance-direct"}},
    {"method": {"name": "glance-direct"}, "stores": ["nowhere"]},
    {"method": {"name": "glance-direct"}, "all_stores": "x"},
    {"method": {"name": "glance-direct"}, "all_stores_must_succeed": "x"},
    {"method": {"name": "glance-direct"}, "all_stores": True, "stores": ["fast"]},
    {"method": {"name": "copy-image"}},
    {"method": {"name": "copy-image"}, "stores": ["cheap"]},
]


def _until(twin: Twin, image: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until both sides show *image* as wanted."""
    deadline = time.monotonic() + 60
    for side in (twin.embedded, twin.glance):
        while not wanted(side.send("admin", "GET", f"/v2/images/{image}", None, {}).body):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _settled(shown: dict[str, Any]) -> bool:
    return shown["status"] == "active" and "os_glance_import_task" not in shown


@pytest.mark.parametrize("path", ["/v2/info/import", "/v2/info/stores", "/v2/info/usage"])
def test_discovery(twin: Twin, path: str) -> None:
    """What the cloud can do, for whoever has a token."""
    for who in (*VIEWERS, None):
        twin.send("GET", path, who=who)
    # There, usage has 404 for other methods.
    for method in ("POST", "PUT", "DELETE", "PATCH") if "usage" not in path else ():
        twin.send(method, path)


def test_store_details(twin: Twin) -> None:
    """Who may see them; what they are is each service's own."""
    for who in ("member", "reader", "other", None):
        twin.send("GET", "/v2/info/stores/detail", who=who)


def test_stage(twin: Twin) -> None:
    """Staging, by whom, in which state, of which type."""
    made = twin.create(visibility="community", **RAW)
    path = f"/v2/images/{made}/stage"
    twin.send("PUT", path, data=b"x", Content_Type="application/json")
    for who in ("reader", "other", None):
        twin.send("PUT", path, data=b"x", who=who, Content_Type=OCTETS)
    twin.send("PUT", path, data=b"0123456789", Content_Type=OCTETS)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("PUT", path, data=b"x", Content_Type=OCTETS)
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS)
    twin.patch(made, {"op": "replace", "path": "/disk_format", "value": "iso"})
    twin.send("PUT", f"/v2/images/{NOWHERE}/stage", data=b"x", Content_Type=OCTETS)
    for method in ("GET", "POST", "DELETE"):
        twin.send(method, path)
    twin.send("DELETE", f"/v2/images/{made}")


def test_stage_without_formats(twin: Twin) -> None:
    """Formats are not needed to stage, but to import."""
    made = twin.create()
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"", Content_Type=OCTETS)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("POST", f"/v2/images/{made}/import", {"method": {"name": "glance-direct"}})


@pytest.mark.parametrize("body", IMPORTS, ids=json.dumps)
@pytest.mark.parametrize("state", ["queued", "active"])
def test_imports_that_are_refused(twin: Twin, body: dict[str, Any], state: str) -> None:
    """The same refusal, whatever is wrong."""
    made = twin.active() if state == "active" else twin.create(**RAW)
    twin.send("POST", f"/v2/images/{made}/import", body)


@pytest.mark.parametrize("data", [b"", b"{", b"5", b"null"])
def test_imports_that_are_no_objects(twin: Twin, data: bytes) -> None:
    """A body that is not an object."""
    made = twin.create(**RAW)
    twin.send("POST", f"/v2/images/{made}/import", data=data, Content_Type="application/json")


def test_import_of_what_was_staged(twin: Twin) -> None:
    """From the stage to active, in both stores, and the task that did it."""
    made = twin.create(**RAW)
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"0123456789", Content_Type=OCTETS)
    for who in ("reader", "other"):
        twin.send("POST", f"/v2/images/{made}/import", {"method": {"name": "glance-direct"}}, who=who)
    twin.send("POST", f"/v2/images/{made}/import", {"method": {"name": "glance-direct"}, "stores": ["fast"]})
    _until(twin, made, _settled)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("POST", f"/v2/images/{made}/import", {"method": {"name": "copy-image"}, "stores": ["fast"]}, who="admin")
    twin.send("POST", f"/v2/images/{made}/import", {"method": {"name": "copy-image"}, "all_stores": True}, who="admin")
    _until(twin, made, lambda shown: "," in shown["stores"] and _settled(shown))
    twin.send("GET", f"/v2/images/{made}")
    for who in VIEWERS:
        twin.send("DELETE", f"/v2/stores/nowhere/{made}", who=who)
    twin.send("DELETE", f"/v2/stores/cheap/{NOWHERE}", who="admin")
    twin.send("DELETE", f"/v2/stores/cheap/{made}", who="admin")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize("store", ["fast", "cheap", "nowhere", "os_glance_staging_store"])
def test_upload_to_a_store(twin: Twin, store: str) -> None:
    """X-Image-Meta-Store, and where the image is then."""
    made = twin.create(**RAW)
    headers = {"Content_Type": OCTETS, "X_Image_Meta_Store": store}
    if store == "os_glance_staging_store":
        assert (
            twin.embedded.send(
                "member", "PUT", f"/v2/images/{made}/file", b"x", {"Content-Type": OCTETS, "X-Image-Meta-Store": store}
            ).status
            == 400
        )
        return
    twin.send("PUT", f"/v2/images/{made}/file", data=b"0123456789", **headers)
    twin.send("GET", f"/v2/images/{made}")
    for wanted in ("fast", "cheap,fast", "nowhere"):
        twin.send("GET", f"/v2/images/{made}/file?prefer={wanted}")


def test_task_queries(twin: Twin) -> None:
    """Who may list tasks, and by what."""
    for who in ("member", "reader", "other", None):
        twin.send("GET", "/v2/tasks", who=who)
        twin.send("GET", f"/v2/tasks/{NOWHERE}", who=who)
    for query in ("status=x", "type=x", "marker=x", "limit=-1", "limit=x", "sort_key=x", "sort_dir=x"):
        twin.send("GET", f"/v2/tasks?{query}", who="admin")
    twin.send("GET", f"/v2/tasks/{NOWHERE}", who="admin")
    # For other methods Glance allows DELETE, which it then refuses.
    twin.send("DELETE", f"/v2/tasks/{NOWHERE}", who="admin")
    twin.send("GET", f"/v2/images/{NOWHERE}/tasks")
    made = twin.create()
    for who in (*VIEWERS, None):
        twin.send("GET", f"/v2/images/{made}/tasks", who=who)


@pytest.mark.parametrize(
    "body", [{}, {"type": "import"}, {"type": "x", "input": {}}, {"type": "import", "input": 5}, {"input": {}}]
)
def test_tasks_that_are_refused(twin: Twin, body: dict[str, Any]) -> None:
    """A task needs a type and an input."""
    for who in ("member", "admin"):
        twin.send("POST", "/v2/tasks", body, who=who)


def test_locations(twin: Twin) -> None:
    """Who sees them, and who may add what."""
    made, queued = twin.active(), twin.create(**RAW)
    for who in ("member", "reader", "other", None):
        twin.send("GET", f"/v2/images/{made}/locations", who=who)
    twin.send("GET", f"/v2/images/{NOWHERE}/locations", who="admin")
    twin.send("GET", f"/v2/images/{queued}/locations", who="admin")
    twin.send("POST", f"/v2/images/{queued}/locations", {"url": "file:///etc/passwd"})
    twin.send("POST", f"/v2/images/{queued}/locations", {"url": "http://127.0.0.1/x"}, who="other")
    for path in ("/locations/-", "/locations/0"):
        twin.patch(made, {"op": "add", "path": path, "value": {"url": "http://127.0.0.1/x", "metadata": {}}})
    twin.patch(made, {"op": "replace", "path": "/locations", "value": []})
    twin.patch(made, {"op": "remove", "path": "/locations/0"})


@pytest.mark.parametrize("who", ["member", "reader", "admin", None])
def test_cache(twin: Twin, who: str | None) -> None:
    """There is none."""
    twin.send("GET", "/v2/cache", who=who)
    twin.send("DELETE", "/v2/cache", who=who)
    twin.send("PUT", "/v2/cache", who=who)
    if who in ("admin", None):
        # For others Glance looks for the image first.
        twin.send("PUT", f"/v2/cache/{NOWHERE}", who=who)
