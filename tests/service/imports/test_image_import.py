"""Staging and import: what is asked, what is answered, what becomes of the image."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from support.http_stub import Answer, HttpStub, Request
from support.import_data import DATA
from support.region_service import Client, RegionService, poll
from support.unsafe_images import IMPOSSIBLE

RAW = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"Content-Type": "application/octet-stream"}


def stage(client: Client, image: dict[str, Any], data: bytes = DATA, headers: dict[str, str] | None = None) -> int:
    """Stage *data*; return the status code."""
    path = f"/v2/images/{image['id']}/stage"
    return client.request("PUT", path, data=data, headers=headers or OCTETS).status_code


def task_of(client: Client, image: dict[str, Any]) -> dict[str, Any]:
    """Return the newest task of the image."""
    return dict(client.get(f"/v2/images/{image['id']}/tasks").json()["tasks"][0])


# --- staging ------------------------------------------------------------------------------------------------


def test_staged_image_waits(alpha: Client, region: RegionService) -> None:
    """After staging the image is uploading, has its size and nothing else, and nothing to download."""
    image = alpha.create()

    assert stage(alpha, image) == 204
    shown = alpha.show(image["id"])
    assert (shown["status"], shown["size"], shown["checksum"]) == ("uploading", len(DATA), None)
    assert "stores" not in shown
    assert alpha.get(f"/v2/images/{image['id']}/file").status_code == 204
    assert region.data_files() == []


def test_staging_needs_a_queued_image(alpha: Client) -> None:
    """A second stage, and a stage of an active image, are conflicts."""
    image = alpha.create(**RAW)
    assert stage(alpha, image) == 204
    assert stage(alpha, image) == 409
    assert stage(alpha, alpha.active()) == 409


def test_staging_checks_type_and_caller(alpha: Client, beta: Client) -> None:
    """Only octet streams, only from who may change the image."""
    image = alpha.create(**RAW)
    public = alpha.create(visibility="community", **RAW)

    assert stage(alpha, image, headers={"Content-Type": "application/json"}) == 415
    assert stage(beta, image) == 404
    assert stage(beta, public) == 403
    assert alpha.show(image["id"])["status"] == "queued"


def test_short_staging_leaves_nothing(alpha: Client, region: RegionService) -> None:
    """Fewer bytes than declared: queued again, and no staged bytes."""
    image = alpha.create(**RAW)

    assert stage(alpha, image, headers={**OCTETS, "X-OpenStack-Image-Size": "99999999"}) == 400
    assert alpha.show(image["id"])["status"] == "queued"
    assert _staged(region) == []


def test_deleting_a_staged_image_removes_the_bytes(alpha: Client, region: RegionService) -> None:
    """DELETE works while the image waits for its import."""
    image = alpha.create(**RAW)
    stage(alpha, image)
    assert len(_staged(region)) == 1

    assert alpha.request("DELETE", f"/v2/images/{image['id']}").status_code == 204
    assert _staged(region) == []


def _staged(region: RegionService) -> list[str]:
    return [path.name for path in region.staged_files()]


# --- the methods --------------------------------------------------------------------------------------------


def test_glance_direct(alpha: Client, region: RegionService, start_import: Any, settled: Any) -> None:
    """Staged bytes become the image's, with hashes, sizes and a task that says so."""
    image = alpha.create(**RAW)
    stage(alpha, image)

    response = start_import(alpha, image, "glance-direct")
    assert (response.status_code, response.content) == (202, b"")
    shown = settled(alpha, image)
    assert (shown["status"], shown["size"], shown["virtual_size"]) == ("active", len(DATA), len(DATA))
    assert shown["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    assert (shown["stores"], shown["os_glance_failed_import"]) == ("folder", "")
    assert alpha.get(f"/v2/images/{image['id']}/file").content == DATA
    assert _staged(region) == []
    task = task_of(alpha, image)
    assert (task["type"], task["status"], task["message"]) == ("api_image_import", "success", "")
    assert task["result"] == {"image_id": image["id"]}
    assert task["request_id"].startswith("req-")
    assert task["created_at"].count(".") == 1
    assert not task["created_at"].endswith("Z")


def test_web_download(alpha: Client, origin: HttpStub, start_import: Any, settled: Any) -> None:
    """The image is queued, with its task, until the bytes have come; then active."""
    seen: list[str] = []

    def answer(_request: Request) -> Answer:
        shown = alpha.show(image["id"])
        seen.extend((shown["status"], shown["os_glance_import_task"], shown["os_glance_importing_to_stores"]))
        return Answer.data(DATA)

    image = alpha.create(**RAW)
    origin.on("GET", "/slow", answer)
    assert start_import(alpha, image, "web-download", uri=f"{origin.url}/slow").status_code == 202
    assert settled(alpha, image)["status"] == "active"
    assert seen == ["queued", task_of(alpha, image)["id"], "folder"]
    assert alpha.get(f"/v2/images/{image['id']}/file").content == DATA


def test_import_to_several_stores(alpha: Client, origin: HttpStub, start_import: Any, settled: Any) -> None:
    """Named stores, or all of them, get the bytes."""
    for where in ({"stores": ["cheap", "folder"]}, {"all_stores": True}):
        image = alpha.create(**RAW)
        assert start_import(alpha, image, "web-download", uri=f"{origin.url}/image", **where).status_code == 202
        assert set(settled(alpha, image)["stores"].split(",")) == {"cheap", "folder"}


def test_import_to_the_store_of_the_header(alpha: Client, origin: HttpStub, start_import: Any, settled: Any) -> None:
    """X-Image-Meta-Store chooses one store."""
    image = alpha.create(**RAW)
    chosen = {"X-Image-Meta-Store": "cheap"}
    start_import(alpha, image, "web-download", chosen, uri=f"{origin.url}/image")

    assert settled(alpha, image)["stores"] == "cheap"


def test_copy_image(alpha: Client, admin: Client, region: RegionService, start_import: Any, settled: Any) -> None:
    """An administrator brings an active image to another store; it stays active, and can be read from there."""
    image = alpha.active(DATA)

    assert start_import(alpha, image, "copy-image", stores=["cheap"]).status_code == 403
    assert start_import(admin, image, "copy-image", stores=["folder"]).status_code == 400
    assert start_import(admin, image, "copy-image", stores=["cheap"]).status_code == 202
    assert settled(alpha, image)["stores"] == "folder,cheap"
    assert start_import(admin, image, "copy-image", all_stores=True).status_code == 202
    assert len(region.data_files()) == 2
    region.data_file(image["id"]).unlink()
    assert alpha.get(f"/v2/images/{image['id']}/file").content == DATA


def test_copy_of_damaged_bytes_is_refused(
    alpha: Client, admin: Client, region: RegionService, start_import: Any, settled: Any
) -> None:
    """Bytes that are no longer the image's are not spread, and the image stays as it was."""
    image = alpha.active(DATA)
    region.data_file(image["id"]).write_bytes(b"x" * len(DATA))

    start_import(admin, image, "copy-image", stores=["cheap"])
    shown = settled(alpha, image)
    assert (shown["status"], shown["stores"], shown["os_glance_failed_import"]) == ("active", "folder", "cheap")
    assert "damaged" in task_of(alpha, image)["message"]
    assert len(region.data_files()) == 1


# --- failures -----------------------------------------------------------------------------------------------


def test_failed_download_puts_the_image_back(
    alpha: Client, origin: HttpStub, region: RegionService, start_import: Any, settled: Any
) -> None:
    """Queued again, with the store in os_glance_failed_import and the reason in the task; another try succeeds."""
    origin.on("GET", "/missing", Answer(404))
    image = alpha.create(**RAW)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/missing")

    shown = settled(alpha, image)
    assert (shown["status"], shown["size"], shown["os_glance_failed_import"]) == ("queued", None, "folder")
    task = task_of(alpha, image)
    assert (task["status"], task["result"], task["message"]) == ("failure", None, "The server answers with status 404.")
    assert _staged(region) == []
    start_import(alpha, image, "web-download", uri=f"{origin.url}/image")
    shown = settled(alpha, image)
    assert (shown["status"], shown["os_glance_failed_import"]) == ("active", "")


@pytest.mark.parametrize("method", ["glance-direct", "web-download"])
def test_content_that_contradicts_the_format(
    alpha: Client, origin: HttpStub, region: RegionService, start_import: Any, settled: Any, method: str
) -> None:
    """What an upload refuses, an import refuses: queued again, without bytes anywhere."""
    image = alpha.create(disk_format="qcow2", container_format="bare")
    if method == "glance-direct":
        stage(alpha, image)
        start_import(alpha, image, method)
    else:
        start_import(alpha, image, method, uri=f"{origin.url}/image")

    shown = settled(alpha, image)
    assert (shown["status"], shown["size"], shown["checksum"]) == ("queued", None, None)
    assert "its content is" in task_of(alpha, image)["message"]
    assert (_staged(region), region.data_files()) == ([], [])


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_impossible_content_ends_the_task(alpha: Client, what: str, start_import: Any, settled: Any) -> None:
    """An import of an image with an impossible header fails once, for a reason that its owner can read."""
    disk_format, content, word = IMPOSSIBLE[what]
    image = alpha.create(disk_format=disk_format, container_format="bare")
    stage(alpha, image, content)
    start_import(alpha, image, "glance-direct")

    assert settled(alpha, image)["status"] == "queued"
    task = task_of(alpha, image)
    assert (task["status"], word in task["message"]) == ("failure", True)


def test_image_deleted_during_its_import(alpha: Client, origin: HttpStub, region: RegionService, start_import: Any,
                                         admin: Client) -> None:  # fmt: skip
    """The import ends, its task as a failure, and leaves no bytes."""

    def delete_first(_request: Request) -> Answer:
        assert alpha.request("DELETE", f"/v2/images/{image['id']}").status_code == 204
        return Answer.data(DATA)

    image = alpha.create(**RAW)
    origin.on("GET", "/late", delete_first)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/late")

    poll(lambda: admin.get("/v2/tasks?status=failure").json()["tasks"])
    assert (_staged(region), region.data_files()) == ([], [])


def test_one_store_fails(
    alpha: Client, origin: HttpStub, region: RegionService, start_import: Any, settled: Any
) -> None:
    """With all_stores_must_succeed nothing is left; without it the image is active in the store that worked."""
    cheap = region.settings.data_dir / "images" / "cheap"
    (cheap / ".uploads").rmdir()
    both = {"uri": f"{origin.url}/image", "stores": ["folder", "cheap"]}
    strict, lenient = alpha.create(**RAW), alpha.create(**RAW)

    start_import(alpha, strict, "web-download", **both)
    shown = settled(alpha, strict)
    assert (shown["status"], shown.get("stores"), shown["os_glance_failed_import"]) == ("queued", None, "cheap")
    assert region.data_files() == []
    start_import(alpha, lenient, "web-download", all_stores_must_succeed=False, **both)
    shown = settled(alpha, lenient)
    assert (shown["status"], shown["stores"], shown["os_glance_failed_import"]) == ("active", "folder", "cheap")


def test_only_one_at_a_time(alpha: Client, origin: HttpStub, start_import: Any, settled: Any) -> None:
    """While an import runs, a second one, an upload and a stage are conflicts."""
    codes: list[int] = []

    def meanwhile(_request: Request) -> Answer:
        codes.append(start_import(alpha, image, "web-download", uri=f"{origin.url}/image").status_code)
        codes.append(alpha.upload(image["id"], b"x").status_code)
        codes.append(stage(alpha, image))
        return Answer.data(DATA)

    image = alpha.create(**RAW)
    origin.on("GET", "/busy", meanwhile)
    start_import(alpha, image, "web-download", uri=f"{origin.url}/busy")

    assert settled(alpha, image)["status"] == "active"
    assert codes == [409, 409, 409]


# --- requests that are refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {},
        {"method": "glance-direct"},
        {"method": {}},
        {"method": {"name": "unknown"}},
        {"method": {"name": ["web-download"]}},
        {"method": {"name": "web-download"}},
        {"method": {"name": "web-download", "uri": 5}},
        {"method": {"name": "web-download", "uri": "ftp://images.example/x"}},
        {"method": {"name": "web-download", "uri": "http://10.0.0.1/x"}},
        {"method": {"name": "web-download", "uri": "http://2130706433/x"}},
        {"method": {"name": "glance-download", "glance_region": "jp2"}},
        {"method": {"name": "glance-download", "glance_region": "jp2", "glance_image_id": "x"}},
        {"method": {"name": "glance-direct"}, "stores": []},
        {"method": {"name": "glance-direct"}, "stores": "folder"},
        {"method": {"name": "glance-direct"}, "stores": [1]},
        {"method": {"name": "glance-direct"}, "all_stores": "true"},
        {"method": {"name": "glance-direct"}, "all_stores_must_succeed": 1},
        {"method": {"name": "web-download", "uri": "http://127.0.0.1/x"}, "all_stores": True, "stores": ["folder"]},
    ],
)
def test_requests_that_make_no_sense(alpha: Client, body: Any) -> None:
    """400, whatever is wrong with the body."""
    image = alpha.create(**RAW)

    response = alpha.request("POST", f"/v2/images/{image['id']}/import", json=body)
    assert response.status_code == 400, response.text
    assert "os_glance_import_task" not in alpha.show(image["id"])


def test_state_and_rights(alpha: Client, beta: Client, origin: HttpStub, start_import: Any) -> None:
    """409 where the state does not fit, 404 and 403 where the caller does not."""
    queued, active = alpha.create(**RAW), alpha.active()
    bare = alpha.create()
    uri = f"{origin.url}/image"

    assert start_import(alpha, queued, "glance-direct").status_code == 409
    assert start_import(alpha, active, "web-download", uri=uri).status_code == 409
    assert start_import(alpha, bare, "web-download", uri=uri).status_code == 409
    assert start_import(alpha, queued, "web-download", uri=uri, stores=["none"]).status_code == 409
    header = {"X-Image-Meta-Store": "folder"}
    assert start_import(alpha, queued, "web-download", header, uri=uri, stores=["cheap"]).status_code == 400
    assert start_import(beta, queued, "web-download", uri=uri).status_code == 404
    seen = alpha.create(visibility="community", **RAW)
    assert start_import(beta, seen, "web-download", uri=uri).status_code == 403
    assert origin.requests == []
