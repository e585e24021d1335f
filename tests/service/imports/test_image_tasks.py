"""The task API, the locations API and the discovery of import."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from support.http_stub import Answer, HttpStub
from support.import_data import DATA
from support.region_service import Client, RegionService, poll

RAW = {"disk_format": "raw", "container_format": "bare"}
UNKNOWN = "3e1b9b3c-0000-4000-8000-000000000000"


def test_import_discovery(region: RegionService, alpha: Client) -> None:
    """/v2/info/import names the methods, and so does the answer to a create, also to somebody without a role."""
    methods = ["glance-direct", "web-download", "copy-image", "glance-download"]
    info = region.client("beta", roles=()).get("/v2/info/import").json()["import-methods"]

    assert (info["type"], info["value"]) == ("array", methods)
    created = alpha.request("POST", "/v2/images", json={})
    assert created.headers["OpenStack-image-import-methods"] == ",".join(methods)
    assert created.headers["OpenStack-image-store-ids"] == "folder,cheap"


def test_tasks_are_for_administrators(alpha: Client) -> None:
    """Everybody else gets 403 for the list, for one task and for a new one."""
    assert alpha.get("/v2/tasks").status_code == 403
    assert alpha.get(f"/v2/tasks/{UNKNOWN}").status_code == 403
    assert alpha.request("POST", "/v2/tasks", json={"type": "import", "input": {}}).status_code == 403


def test_task_makes_an_image(admin: Client, origin: HttpStub) -> None:
    """POST /v2/tasks makes an image of what is at an address, and the task can be followed."""
    wanted = {
        "import_from": f"{origin.url}/image",
        "import_from_format": "raw",
        "image_properties": {"name": "made by a task", "os_distro": "debian"},
    }
    response = admin.request("POST", "/v2/tasks", json={"type": "import", "input": wanted})
    assert response.status_code == 201, response.text
    task = response.json()
    assert response.headers["Location"] == f"{admin.url}/v2/tasks/{task['id']}"
    assert (task["type"], task["status"], task["input"]) == ("import", "pending", wanted)

    poll(lambda: admin.get(task["self"]).json()["status"] == "success")
    ended = admin.get(task["self"]).json()
    assert ended["expires_at"] > ended["created_at"]
    image = admin.show(ended["result"]["image_id"])
    assert (image["status"], image["name"], image["os_distro"]) == ("active", "made by a task", "debian")


@pytest.mark.parametrize("path", ["/missing", "/image"])
def test_failed_task_takes_its_image_along(admin: Client, origin: HttpStub, region: RegionService, path: str) -> None:
    """No image is left of a task that fails, be it before the data comes or after; the task says why."""
    origin.on("GET", "/missing", Answer(404))
    wanted = {
        "import_from": f"{origin.url}{path}",
        # The data is no qcow2.
        "import_from_format": "qcow2",
        "image_properties": {"name": "never was", "tags": ["a"], "protected": True},
    }
    task = admin.request("POST", "/v2/tasks", json={"type": "import", "input": wanted}).json()

    poll(lambda: admin.get(task["self"]).json()["status"] == "failure")
    ended = admin.get(task["self"]).json()
    assert ended["result"] is None
    assert ended["message"] != ""
    assert admin.get(f"/v2/images/{ended['image_id']}").status_code == 404
    assert admin.list_ids("?visibility=all") == []
    assert region.data_files() == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"type": "import"},
        {"type": "other", "input": {}},
        {"type": "import", "input": {"import_from": "http://10.0.0.1/", "import_from_format": "raw",
                                     "image_properties": {}}},
        {"type": "import", "input": {"import_from": "http://127.0.0.1/", "import_from_format": "raw"}},
        {"type": "import", "input": {"import_from": "http://127.0.0.1/", "import_from_format": "word",
                                     "image_properties": {}}},
    ],
)  # fmt: skip
def test_tasks_that_make_no_sense(admin: Client, body: Any) -> None:
    """400, and no image is made."""
    assert admin.request("POST", "/v2/tasks", json=body).status_code == 400
    assert admin.list_ids() == []


def test_task_for_an_id_that_is_taken(admin: Client, origin: HttpStub) -> None:
    """409: the image that has the ID stays, and no task is made."""
    there = admin.create(name="there", **RAW)
    wanted = {
        "import_from": f"{origin.url}/image",
        "import_from_format": "raw",
        "image_properties": {"id": there["id"], "name": "another"},
    }

    assert admin.request("POST", "/v2/tasks", json={"type": "import", "input": wanted}).status_code == 409
    assert admin.show(there["id"])["name"] == "there"
    assert admin.get("/v2/tasks").json()["tasks"] == []


def test_task_list_pages_and_filters(admin: Client, alpha: Client, origin: HttpStub, start_import: Any) -> None:
    """The list follows next to its end, filters by status, and leaves the longest parts out."""
    images = [alpha.create(**RAW) for _ in range(3)]
    for image in images:
        start_import(alpha, image, "web-download", uri=f"{origin.url}/image")
    poll(lambda: len(admin.get("/v2/tasks?status=success").json()["tasks"]) == 3)

    seen, path = [], "/v2/tasks?limit=2&sort_dir=asc"
    while path:
        page = admin.get(path).json()
        assert page["schema"] == "/v2/schemas/tasks"
        assert all("input" not in task and "message" not in task for task in page["tasks"])
        seen += [task["image_id"] for task in page["tasks"]]
        path = page.get("next")
    assert seen == [image["id"] for image in images]
    assert admin.get("/v2/tasks?status=failure").json()["tasks"] == []
    newest_first = [task["image_id"] for task in admin.get("/v2/tasks").json()["tasks"]]
    assert newest_first == seen[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "status=x",
        "type=x",
        "marker=x",
        "marker=3e1b9b3c-0000-4000-8000-000000000000",
        "limit=-1",
        "limit=x",
        "sort_key=input",
        "sort_dir=up",
    ],
)
def test_task_list_refuses_bad_parameters(admin: Client, query: str) -> None:
    """400 names what is wrong; unknown filters are ignored."""
    assert admin.get(f"/v2/tasks?{query}").status_code == 400
    assert admin.get("/v2/tasks?colour=red").status_code == 200


def test_tasks_cannot_be_deleted(admin: Client) -> None:
    """405, and Allow says what can be done."""
    response = admin.request("DELETE", f"/v2/tasks/{UNKNOWN}")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert admin.get(f"/v2/tasks/{UNKNOWN}").status_code == 404


def test_tasks_of_an_image_are_for_those_who_see_it(
    alpha: Client, beta: Client, origin: HttpStub, start_import: Any
) -> None:
    """404 for all others."""
    image = alpha.create(**RAW)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/image")

    assert len(alpha.get(f"/v2/images/{image['id']}/tasks").json()["tasks"]) == 1
    assert beta.get(f"/v2/images/{image['id']}/tasks").status_code == 404


def test_addresses_are_for_the_owner(
    alpha: Client, beta: Client, admin: Client, origin: HttpStub, start_import: Any
) -> None:
    """Who only sees an image learns that it was imported, but not from where: an address may hold a secret."""
    image = alpha.create(visibility="community", **RAW)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/image?signature=secret")

    path = f"/v2/images/{image['id']}/tasks"
    assert "signature=secret" in alpha.get(path).text
    assert "signature=secret" in admin.get(path).text
    seen = beta.get(path)
    assert "secret" not in seen.text
    assert len(seen.json()["tasks"]) == 1


# --- locations ----------------------------------------------------------------------------------------------


def test_locations_are_for_administrators(alpha: Client, admin: Client, region: RegionService) -> None:
    """They and other services see where the bytes are; nobody else does."""
    image = alpha.active()
    path = f"/v2/images/{image['id']}/locations"

    (location,) = admin.get(path).json()
    assert location["url"] == region.data_file(image["id"]).as_uri()
    assert location["metadata"] == {"store": "folder"}
    assert alpha.get(path).status_code == 403
    assert region.client("beta", roles=("service",)).get(path).status_code == 404
    assert admin.request("DELETE", path).status_code == 405


def test_location_brings_the_data(alpha: Client, origin: HttpStub, settled: Any) -> None:
    """A location with the right hash makes the image active."""
    image = alpha.create(**RAW)
    announced = {"os_hash_algo": "sha256", "os_hash_value": hashlib.sha256(DATA).hexdigest()}
    body = {"url": f"{origin.url}/image", "validation_data": announced}

    response = alpha.request("POST", f"/v2/images/{image['id']}/locations", json=body)
    assert (response.status_code, response.content) == (202, b"")
    shown = settled(alpha, image)
    assert (shown["status"], shown["os_hash_algo"]) == ("active", "sha256")
    assert alpha.get(f"/v2/images/{image['id']}/tasks").json()["tasks"][0]["type"] == "location_import"
    assert alpha.request("POST", f"/v2/images/{image['id']}/locations", json=body).status_code == 409


def test_location_with_another_hash_fails(alpha: Client, origin: HttpStub, settled: Any, region: RegionService) -> None:
    """Other bytes than announced leave the image queued and no bytes behind."""
    image = alpha.create(**RAW)
    announced = {"os_hash_algo": "sha512", "os_hash_value": "0" * 128}
    body = {"url": f"{origin.url}/image", "validation_data": announced}
    alpha.request("POST", f"/v2/images/{image['id']}/locations", json=body)

    assert settled(alpha, image)["status"] == "queued"
    assert region.data_files() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"url": ""}, 400),
        ({"url": "http://10.0.0.1/"}, 400),
        ({"url": "file:///etc/passwd"}, 403),
        ({"url": "http://127.0.0.1/", "validation_data": {"os_hash_algo": "sha512"}}, 400),
        ({"url": "http://127.0.0.1/", "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "xyz"}}, 400),
        ({"url": "http://127.0.0.1/", "validation_data": {"checksum": "x"}}, 400),
    ],
)
def test_locations_that_are_refused(alpha: Client, body: Any, status: int) -> None:
    """Only addresses that web-download would go to, with a whole hash or none."""
    image = alpha.create(**RAW)
    assert alpha.request("POST", f"/v2/images/{image['id']}/locations", json=body).status_code == status


def test_locations_cannot_be_patched(alpha: Client) -> None:
    """Several locations are not shown, so no operation on them is allowed."""
    image = alpha.active()
    for operation in (
        {"op": "add", "path": "/locations/-", "value": {"url": "http://images.example/", "metadata": {}}},
        {"op": "replace", "path": "/locations", "value": []},
        {"op": "remove", "path": "/locations/0"},
    ):
        assert alpha.patch(image["id"], operation).status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/cache"),
        ("DELETE", "/v2/cache"),
        ("PUT", "/v2/cache/3e1b9b3c-0000-4000-8000-000000000000"),
        ("DELETE", "/v2/cache/3e1b9b3c-0000-4000-8000-000000000000"),
        ("POST", "/v2/cache/clean"),
        ("POST", "/v2/cache/prune"),
    ],
)
def test_there_is_no_cache(alpha: Client, admin: Client, method: str, path: str) -> None:
    """404 for administrators, 403 for all others, as a Glance without a cache answers."""
    assert admin.request(method, path).status_code == 404
    assert alpha.request(method, path).status_code == 403
