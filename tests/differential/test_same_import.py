"""Staging, importing, stores, tasks, cache and locations: the same answers as Glance."""

from __future__ import annotations

import time
from typing import Any

import pytest
from twin import OCTETS, Twin, image_id

CALLERS = ("member", "reader", "other", "admin", None)
FORMATS = {"disk_format": "raw", "container_format": "bare"}
DIRECT = {"method": {"name": "glance-direct"}}


def _settled(twin: Twin, image: str) -> None:
    """Wait until neither side works on *image*."""
    for side in (twin.embedded, twin.glance):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            shown = side.send("admin", "GET", f"/v2/images/{image}", None, {}).body
            if shown.get("status") != "importing" and not shown.get("os_glance_import_task"):
                break
            time.sleep(0.02)


def _staged(twin: Twin, data: bytes = b"0123456789", **attributes: Any) -> str:
    made = twin.create(**{**FORMATS, **attributes})
    twin.send("PUT", f"/v2/images/{made}/stage", data=data, Content_Type=OCTETS)
    return made


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("path", ["import", "stores", "stores/detail", "usage", "nothing"])
def test_info(twin: Twin, who: str | None, path: str) -> None:
    """What there is to import by and to store in is told to the same callers."""
    if (path, who) == ("stores/detail", "admin"):
        twin.send("GET", f"/v2/info/{path}", who=who, differs="stores-detail")
    else:
        twin.send("GET", f"/v2/info/{path}", who=who)
    if path == "usage" and who is not None:
        twin.send("POST", f"/v2/info/{path}", {}, who=who, differs="info-usage-method")
    else:
        twin.send("POST", f"/v2/info/{path}", {}, who=who)


def test_direct_import(twin: Twin) -> None:
    """Staged data becomes the image's data."""
    made = _staged(twin)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"x", Content_Type=OCTETS)
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)
    _settled(twin, made)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)


@pytest.mark.parametrize("who", CALLERS)
def test_who_may_stage_and_import(twin: Twin, who: str | None) -> None:
    """The same callers may."""
    made = twin.create("admin", owner="a" * 32, visibility="community", **FORMATS)
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"x", who=who, Content_Type=OCTETS)
    twin.send("GET", f"/v2/images/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}/tasks", who=who)
    staged = _staged(twin, visibility="community")
    twin.send("POST", f"/v2/images/{staged}/import", DIRECT, who=who)
    _settled(twin, staged)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"method": {}},
        {"method": {"name": "unknown"}},
        {"method": {"name": "glance-download"}},
        {"method": {"name": 5}},
        {"method": {"name": "web-download"}},
        {"method": {"name": "web-download", "uri": "ftp://127.0.0.1/x"}},
        {"method": {"name": "web-download", "uri": "x"}},
        {"method": {"name": "glance-direct"}},
        {"method": {"name": "copy-image"}},
        {"method": {"name": "web-download", "uri": "http://127.0.0.1/x"}, "all_stores": "yes"},
        {"method": {"name": "web-download", "uri": "http://127.0.0.1/x"}, "stores": ["unknown"]},
        {"method": {"name": "web-download", "uri": "http://127.0.0.1/x"}, "all_stores": True, "stores": ["fast"]},
    ],
    ids=str,
)
def test_imports_that_cannot_be(twin: Twin, body: dict[str, Any]) -> None:
    """What cannot be imported is refused alike, and the image stays as it was."""
    made = twin.create(**FORMATS)
    twin.send("POST", f"/v2/images/{made}/import", body)
    twin.send("GET", f"/v2/images/{made}")


def test_stores_that_are_no_list(twin: Twin) -> None:
    """Stores are a list."""
    made = _staged(twin)
    twin.send("POST", f"/v2/images/{made}/import", {**DIRECT, "stores": "fast"}, differs="import-stores-text")


def test_imports_need_formats(twin: Twin) -> None:
    """Both formats must be set first."""
    made = twin.create()
    twin.send("PUT", f"/v2/images/{made}/stage", data=b"x", Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)
    twin.send("DELETE", f"/v2/images/{made}")


def test_stage_media_types(twin: Twin) -> None:
    """Staged data is octets."""
    made = twin.create(**FORMATS)
    for media_type in ("", "text/plain", "application/json"):
        twin.send("PUT", f"/v2/images/{made}/stage", data=b"x", Content_Type=media_type)
    twin.send("GET", f"/v2/images/{made}/stage")
    twin.send("GET", f"/v2/images/{made}/import")


def test_copies_between_stores(twin: Twin) -> None:
    """An administrator copies data to another store, and removes it from one."""
    made = twin.active()
    copy = {"method": {"name": "copy-image"}, "stores": ["cheap"]}
    twin.send("POST", f"/v2/images/{made}/import", copy)
    twin.send("DELETE", f"/v2/stores/fast/{made}")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("POST", f"/v2/images/{made}/import", copy, who="admin")
    _settled(twin, made)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("POST", f"/v2/images/{made}/import", copy, who="admin")
    twin.send("DELETE", f"/v2/stores/unknown/{made}", who="admin")
    twin.send("DELETE", f"/v2/stores/fast/{image_id(999_999)}", who="admin")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}")
    twin.send("DELETE", f"/v2/stores/fast/{made}", who="admin")
    twin.send("GET", f"/v2/images/{made}/file")


def test_chosen_stores(twin: Twin) -> None:
    """The data goes where the client says."""
    made = twin.create(**FORMATS)
    headers = {"X_Image_Meta_Store": "cheap"}
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS, **headers)
    twin.send("GET", f"/v2/images/{made}")
    staged = _staged(twin)
    twin.send("POST", f"/v2/images/{staged}/import", {**DIRECT, "stores": ["cheap", "fast"]})
    _settled(twin, staged)
    twin.send("GET", f"/v2/images/{staged}")


@pytest.mark.parametrize("who", CALLERS)
def test_tasks_and_cache(twin: Twin, who: str | None) -> None:
    """Tasks and the cache are the administrators'."""
    for path in ("/v2/tasks/x", f"/v2/tasks/{image_id(5)}", "/v2/cache", "/v2/cache/x"):
        twin.send("GET", path, who=who)
    twin.send("POST", "/v2/tasks", {}, who=who)
    twin.send("POST", "/v2/tasks", {"type": "export", "input": {}}, who=who)
    if who in (None, "admin"):
        twin.send("DELETE", f"/v2/tasks/{image_id(5)}", who=who)
        twin.send("PUT", f"/v2/cache/{image_id(5)}", who=who)
    else:
        twin.send("DELETE", f"/v2/tasks/{image_id(5)}", who=who, differs="tasks-delete")
        twin.send("PUT", f"/v2/cache/{image_id(5)}", who=who, differs="cache-put")
    twin.send("GET", "/v2/tasks?status=x", who=who)
    twin.send("GET", "/v2/tasks?limit=-1", who=who)
    twin.send("DELETE", "/v2/cache", who=who)
    made = twin.create()
    twin.send("GET", f"/v2/images/{made}/locations", who=who)
