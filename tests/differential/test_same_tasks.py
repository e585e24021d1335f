"""What the services do after they have answered, and what they tell of it: the same as Glance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twin import OCTETS, Twin, image_id

from support.http_stub import Answer, HttpStub

DATA = b"0123456789"
FORMATS = {"disk_format": "raw", "container_format": "bare"}
DIRECT = {"method": {"name": "glance-direct"}}
NOWHERE = image_id(999_999)


@pytest.fixture
def origin() -> Iterator[HttpStub]:
    """A server with an image at /image."""
    with HttpStub() as stub:
        for method in ("GET", "HEAD"):
            stub.on(method, "/image", Answer.data(DATA))
            stub.on(method, "/missing", Answer(404))
        yield stub


def _web(uri: str) -> dict[str, Any]:
    return {"method": {"name": "web-download", "uri": uri}}


def _until(twin: Twin, paths: tuple[str, str], ready: Callable[[Any], bool]) -> None:
    """Wait until what either side shows is *ready*."""
    for side, path in zip((twin.embedded, twin.glance), paths, strict=True):
        deadline = time.monotonic() + 20
        while not ready(side.send("admin", "GET", path, None, {}).body):
            assert time.monotonic() < deadline, f"{side.url}{path}"
            time.sleep(0.02)


def _settle(twin: Twin, image: str) -> None:
    path = f"/v2/images/{image}"
    _until(twin, (path, path), lambda shown: not shown.get("os_glance_import_task"))


def _ids(twin: Twin, path: str) -> tuple[set[str], set[str]]:
    """Return the IDs of the tasks that either side lists at *path*."""
    here, there = (
        {str(task["id"]) for task in side.send("admin", "GET", path, None, {}).body["tasks"]}
        for side in (twin.embedded, twin.glance)
    )
    return here, there


def _ended(twin: Twin, ids: tuple[set[str], set[str]]) -> tuple[str, str]:
    """Return the paths of the one task of either side, when it has ended."""
    (here,), (there,) = ids
    paths = (f"/v2/tasks/{here}", f"/v2/tasks/{there}")
    _until(twin, paths, lambda task: task["status"] in ("success", "failure"))
    return paths


@pytest.fixture
def imported(twin: Twin, origin: HttpStub) -> str:
    """An image that was fetched."""
    made = twin.create(visibility="community", **FORMATS)
    twin.send("POST", f"/v2/images/{made}/import", _web(f"{origin.url}/image"))
    _settle(twin, made)
    return made


def test_what_was_fetched(twin: Twin, imported: str) -> None:
    """The image is the same, and so is its data."""
    twin.send("GET", f"/v2/images/{imported}")
    twin.send("GET", f"/v2/images/{imported}/file")


def test_tasks_of_an_image(twin: Twin, imported: str) -> None:
    """The task says the same of itself, but for its message; to other projects Glance says nothing."""
    for who in ("member", "reader", "admin"):
        twin.send("GET", f"/v2/images/{imported}/tasks", who=who, differs="task-message")
    twin.send("GET", f"/v2/images/{imported}/tasks", who="other", differs="task-others")
    twin.send("GET", f"/v2/images/{imported}/tasks", who=None)


def test_tasks_as_such(twin: Twin, imported: str) -> None:
    """Administrators list, page and show tasks; of the lists ours say more."""
    paths = _ended(twin, _ids(twin, f"/v2/images/{imported}/tasks"))
    twin.send("GET", paths, who="admin", differs="task-message")
    for query in ("", "?limit=1", "?status=success", "?sort_key=updated_at&sort_dir=desc"):
        twin.send("GET", f"/v2/tasks{query}", who="admin", differs="task-list-keys")
    for query in ("?limit=0", "?status=pending", "?unknown=x&limit=0"):
        twin.send("GET", f"/v2/tasks{query}", who="admin")
    for method in ("PUT", "PATCH", "POST"):
        twin.send(method, paths, who="admin", differs="tasks-delete")
    here, there = (path.removeprefix("/v2/tasks/").upper() for path in paths)
    twin.send("GET", (f"/v2/tasks/{here}", f"/v2/tasks/{there}"), who="admin", differs="id-case")


@pytest.mark.parametrize("where", ["image", "missing"])
def test_task_that_makes_an_image(twin: Twin, origin: HttpStub, where: str) -> None:
    """A task makes an image, whether or not its data can be had."""
    wanted = {
        "import_from": f"{origin.url}/{where}",
        "import_from_format": "raw",
        "image_properties": {"name": where, **FORMATS},
    }
    # Not the newest: Glance's clock counts whole seconds.
    before = _ids(twin, "/v2/tasks?limit=1000")
    twin.send("POST", "/v2/tasks", {"type": "import", "input": wanted}, who="admin", differs="task-image")
    here, there = _ids(twin, "/v2/tasks?limit=1000")
    made = _ended(twin, (here - before[0], there - before[1]))
    twin.send("GET", made, who="admin", differs="task-image")
    if where == "image":
        twin.send("GET", f"/v2/images?name={where}", who="admin", differs="task-image")


def test_fetching_fails(twin: Twin, origin: HttpStub) -> None:
    """The image is queued again, and says where it should have gone to."""
    made = twin.create(**FORMATS)
    twin.send("POST", f"/v2/images/{made}/import", _web(f"{origin.url}/missing"))
    _settle(twin, made)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/tasks", differs="task-message")


def test_staged_data_that_is_refused(twin: Twin) -> None:
    """Data of another format ends the import; here the image can be tried again."""
    made = twin.create(**{**FORMATS, "disk_format": "qcow2"})
    twin.send("PUT", f"/v2/images/{made}/stage", data=DATA, Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", DIRECT)
    path = f"/v2/images/{made}/tasks"
    _until(twin, (path, path), lambda body: [task["status"] for task in body["tasks"]] == ["failure"])
    _until(twin, (f"/v2/images/{made}",) * 2, lambda shown: not shown.get("os_glance_import_task"))
    twin.send("GET", f"/v2/images/{made}", differs="import-failed")


def test_imports_to_nowhere(twin: Twin) -> None:
    """An import needs a store."""
    made = twin.create(**FORMATS)
    twin.send("PUT", f"/v2/images/{made}/stage", data=DATA, Content_Type=OCTETS)
    twin.send("POST", f"/v2/images/{made}/import", {**DIRECT, "stores": []}, differs="import-no-stores")


@pytest.mark.parametrize("part", ["file", "stage"])
def test_while_an_import_runs(twin: Twin, origin: HttpStub, part: str) -> None:
    """While data is fetched there is none, and imports and uploads are conflicts; Glance calls that importing."""
    asked, go_on = threading.Semaphore(0), threading.Event()

    def answer(_request: Any) -> Answer:
        asked.release()
        go_on.wait(20)
        return Answer.data(DATA)

    origin.on("GET", "/slow", answer)
    made = twin.create(**FORMATS)
    path = f"/v2/images/{made}"
    try:
        twin.send("POST", f"{path}/import", _web(f"{origin.url}/slow"))
        for _side in range(2):
            assert asked.acquire(timeout=20)
        _until(twin, ("/v2/images", path), lambda shown: "images" in shown or shown["status"] == "importing")
        twin.send("GET", path, differs="import-status")
        twin.send("GET", f"{path}/file")
        twin.send("POST", f"{path}/import", _web(f"{origin.url}/slow"))
        twin.send("PUT", f"{path}/{part}", data=b"x", Content_Type=OCTETS)
    finally:
        go_on.set()
    _ended(twin, _ids(twin, f"{path}/tasks"))


@pytest.mark.parametrize("who", ["member", "reader", "other", "admin", None])
def test_locations(twin: Twin, origin: HttpStub, who: str | None) -> None:
    """What is no location is refused alike; what is one is fetched here, where Glance needs a store for it."""
    queued, active = twin.create(**FORMATS), twin.active()
    path, uri = f"/v2/images/{queued}/locations", f"{origin.url}/image"
    for body in ({}, [], {"url": 5}, {"url": None}):
        twin.send("POST", path, body, who=who)
    for announced in (None, [], "x", {"x": 1}, {"os_hash_algo": "sha512"}, {"os_hash_value": "00"}):
        twin.send("POST", path, {"url": uri, "validation_data": announced}, who=who)
    twin.send("POST", f"/v2/images/{NOWHERE}/locations", {"url": uri}, who=who)
    # Glance looks at the image's status before it looks at the caller's role.
    reads = who == "reader"
    twin.send(
        "POST", f"/v2/images/{active}/locations", {"url": uri}, who=who, differs="import-order" if reads else None
    )
    twin.send("DELETE", path, who=who, differs="locations-allow" if who is not None else None)
    fetched = who in ("member", "admin")
    twin.send("POST", path, {"url": uri}, who=who, differs="locations-fetch" if fetched else None)
    _settle(twin, queued)


@pytest.mark.parametrize("who", ["member", "reader", "other", "admin", None])
def test_no_cache(twin: Twin, who: str | None) -> None:
    """There is no cache, whatever is asked of it."""
    made = twin.active()
    for path in ("/v2/cache", f"/v2/cache/{made}", "/v2/cache/clean", "/v2/cache/prune", f"/v2/cache/nodes/{made}"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            # Glance looks for the image before it looks at the caller's role.
            if who == "other" and path == f"/v2/cache/{made}" and method in ("PUT", "DELETE"):
                continue
            twin.send(method, path, who=who)
    twin.send("PUT", f"/v2/cache/{made}", who="other", differs="cache-put")
    twin.send("DELETE", f"/v2/cache/{made}", who="other", differs="cache-delete")


@pytest.mark.parametrize("who", ["member", "reader", "other", "admin", None])
def test_data_of_one_store(twin: Twin, who: str | None) -> None:
    """Whoever asks for whatever image and store is refused alike."""
    made = twin.active()
    for store in ("fast", "cheap", "nowhere"):
        for image in (made, NOWHERE, "x"):
            twin.send("DELETE", f"/v2/stores/{store}/{image}", who=who)
    twin.send("GET", f"/v2/stores/fast/{made}", who=who)


def test_letters_of_an_id(twin: Twin) -> None:
    """An ID is the same in upper and lower case."""
    made = "00000000-0000-4000-8000-abcdef000001"
    twin.create(id=made)
    twin.send("GET", f"/v2/images/{made.upper()}", differs="id-case")
    twin.send("GET", f"/v2/images?id={made.upper()}", differs="id-case")
    twin.send("POST", "/v2/images", {"id": made.upper()}, differs="id-case")
    twin.send("DELETE", f"/v2/images/{made}")
    side = twin.glance
    side.send("admin", "DELETE", f"/v2/images/{made.upper()}", None, {})
