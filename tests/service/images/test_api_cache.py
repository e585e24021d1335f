"""The image cache: what gets into it, what is read from it, what goes, and who may manage it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.load import SettingsError, load_settings
from ecl.server.settings.model import ImportSettings
from support.http_stub import Answer, HttpStub
from support.region_service import Client, RegionService, poll, run_region

DATA = bytes(range(256)) * 2000
RAW = {"disk_format": "raw", "container_format": "bare"}
HASHES = {"os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(DATA).hexdigest()}
LOCAL = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.0/8",))
SETTINGS: dict[str, Any] = {"imports": LOCAL, "show_multiple_locations": True}


@pytest.fixture
def elsewhere() -> Iterator[HttpStub]:
    """A server with DATA at /a, /b and /c."""
    with HttpStub() as stub:
        for path in ("/a", "/b", "/c"):
            stub.on("GET", path, Answer.data(DATA))
        yield stub


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region whose cache has room for two and a half images, and a slow store."""
    slow = FolderStore(tmp_path / "images" / "slow", "slow", cached=True)
    cache = {"image_cache_dir": tmp_path / "cache", "image_cache_max_size": len(DATA) * 5 // 2}
    with run_region(tmp_path, more_stores=[slow], **SETTINGS, **cache) as service:
        yield service


def image_at(client: Client, url: str) -> str:
    """Return the ID of an image whose data is at *url*."""
    image = client.create(**RAW)
    value = {"url": url, "metadata": {}, "validation_data": HASHES}
    answer = client.patch(image["id"], {"op": "add", "path": "/locations/-", "value": value})
    assert answer.status_code == 200, answer.text
    return str(image["id"])


def download(client: Client, image_id: str, **headers: str) -> bytes:
    """Return the data of an image."""
    answer = client.get(f"/v2/images/{image_id}/file", headers=headers)
    assert answer.status_code in (200, 206), answer.text
    return bytes(answer.content)


def cached(admin: Client) -> dict[str, dict[str, Any]]:
    """Return what the cache says of its images."""
    found = admin.get("/v2/cache").json()["cached_images"]
    return {entry["image_id"]: entry for entry in found}


# --- what is kept -------------------------------------------------------------------------------------------


def test_second_download_asks_nobody(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """The first download of an image elsewhere fills the cache; later ones, ranges too, are read from there."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    assert download(alpha, image_id) == DATA
    asked = len(elsewhere.requests)

    assert download(alpha, image_id) == DATA
    assert download(alpha, image_id, Range="bytes=5-9") == DATA[5:10]
    assert len(elsewhere.requests) == asked
    (entry,) = cached(admin).values()
    assert (entry["size"], entry["hits"]) == (len(DATA), 2)
    assert entry["last_accessed"] >= entry["last_modified"]


def test_a_range_is_not_kept(alpha: Client, admin: Client, elsewhere: HttpStub, tmp_path: Path) -> None:
    """What is read in part leaves nothing in the cache."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    assert download(alpha, image_id, Range="bytes=0-99") == DATA[:100]
    assert download(alpha, image_id, Range="bytes=100-") == DATA[100:]

    assert cached(admin) == {}
    poll(lambda: [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [])


def test_wrong_data_is_not_kept(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """Data that does not have the hash of the image does not get into the cache."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    elsewhere.on("GET", "/a", Answer.data(b"!" + DATA[1:]))
    with pytest.raises(Exception, match=r"(?i)broken|closed|incomplete|reset"):
        download(alpha, image_id)

    assert cached(admin) == {}


def test_slow_store(region: RegionService, alpha: Client, admin: Client) -> None:
    """What is downloaded from a store with `cache` is kept, from others not; ?prefer= goes to the store."""
    fast, slow = alpha.active(DATA), alpha.create(**RAW)
    assert alpha.upload(slow["id"], DATA, {"X-Image-Meta-Store": "slow"}).status_code == 204
    assert download(alpha, fast["id"]) == download(alpha, slow["id"]) == DATA
    assert list(cached(admin)) == [slow["id"]]
    region.data_file(slow["id"], "slow").write_bytes(b"S" * len(DATA))

    assert download(alpha, slow["id"]) == DATA
    assert alpha.get(f"/v2/images/{slow['id']}/file?prefer=slow").content == b"S" * len(DATA)


def test_bound(alpha: Client, admin: Client, elsewhere: HttpStub, tmp_path: Path) -> None:
    """When a third image comes in, the one that was read the longest time ago goes."""
    first, second, third = (image_at(alpha, elsewhere.url + path) for path in ("/a", "/b", "/c"))
    for image_id in (first, second, first, third):
        assert download(alpha, image_id) == DATA

    assert set(cached(admin)) == {first, third}
    assert {path.name for path in (tmp_path / "cache" / "jp1").iterdir()} == {".incomplete", first, third}


def test_who_may_not_download(region: RegionService, alpha: Client, elsewhere: HttpStub) -> None:
    """A copy in the cache changes nothing of who may read the image."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    assert download(alpha, image_id) == DATA

    assert region.client("beta").get(f"/v2/images/{image_id}/file").status_code == 404


def test_a_deleted_image_leaves_the_cache(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """Deleting an image removes its copy."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    assert download(alpha, image_id) == DATA
    assert alpha.request("DELETE", f"/v2/images/{image_id}").status_code == 204

    assert cached(admin) == {}


def test_restart(tmp_path: Path, elsewhere: HttpStub) -> None:
    """Copies survive a restart; what was unfinished is removed, and what is not the service's is left alone."""
    settings = {**SETTINGS, "image_cache_dir": tmp_path / "cache"}
    with run_region(tmp_path, **settings) as service:
        image_id = image_at(service.client("alpha"), f"{elsewhere.url}/a")
        assert download(service.client("alpha"), image_id) == DATA
    folder = tmp_path / "cache" / "jp1"
    (folder / ".incomplete" / "left").write_bytes(b"x")
    (folder / "notes.txt").write_bytes(b"x")
    asked = len(elsewhere.requests)
    with run_region(tmp_path, **settings) as service:
        assert download(service.client("alpha"), image_id) == DATA
        assert list(cached(service.admin())) == [image_id]
    assert len(elsewhere.requests) == asked
    assert {path.name for path in folder.iterdir()} == {".incomplete", "notes.txt", image_id}
    assert list((folder / ".incomplete").iterdir()) == []


# --- the API ------------------------------------------------------------------------------------------------


def test_queue(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """PUT brings an image into the cache, from whatever store; once there, it is queued no more."""
    far, near = image_at(alpha, f"{elsewhere.url}/a"), alpha.active(DATA)["id"]
    for image_id in (far, near):
        assert admin.request("PUT", f"/v2/cache/{image_id}").status_code == 202
    poll(lambda: set(cached(admin)) == {far, near})
    poll(lambda: admin.get("/v2/cache").json()["queued_images"] == [])

    assert admin.request("PUT", f"/v2/cache/{far}").status_code == 202
    assert admin.get("/v2/cache").json()["queued_images"] == []


def test_queue_of_what_cannot_be_cached(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """An unknown image is 404, one without data 400; one that cannot be read leaves the queue."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    elsewhere.on("GET", "/a", Answer(404))
    assert admin.request("PUT", f"/v2/cache/{image_id}").status_code == 202
    poll(lambda: admin.get("/v2/cache").json() == {"cached_images": [], "queued_images": []})

    assert admin.request("PUT", "/v2/cache/3e1b9b3c-0000-4000-8000-000000000000").status_code == 404
    assert admin.request("PUT", f"/v2/cache/{alpha.create()['id']}").status_code == 400


def test_delete_and_clear(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """One copy, or all of them, are removed; the images stay."""
    first, second = (image_at(alpha, elsewhere.url + path) for path in ("/a", "/b"))
    for image_id in (first, second):
        download(alpha, image_id)
    assert admin.request("DELETE", f"/v2/cache/{first}").status_code == 204
    assert list(cached(admin)) == [second]
    assert admin.request("DELETE", "/v2/cache", headers={"x-image-cache-clear-target": "queue"}).status_code == 204
    assert list(cached(admin)) == [second]
    assert admin.request("DELETE", "/v2/cache", headers={"x-image-cache-clear-target": "all"}).status_code == 400
    assert admin.request("DELETE", "/v2/cache").status_code == 204
    assert cached(admin) == {}

    assert download(alpha, second) == DATA
    assert admin.request("DELETE", "/v2/cache/3e1b9b3c-0000-4000-8000-000000000000").status_code == 404


def test_clean_and_prune(admin: Client) -> None:
    """Both succeed; nothing is ever too much, because the bound always holds."""
    assert admin.request("POST", "/v2/cache/clean").status_code == 200
    pruned = admin.request("POST", "/v2/cache/prune")
    assert (pruned.status_code, pruned.json()) == (200, {"total_files_pruned": 0, "total_bytes_pruned": 0})


def test_nodes(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """The service names itself, if it has a copy of the image."""
    image_id = image_at(alpha, f"{elsewhere.url}/a")
    assert admin.get(f"/v2/cache/nodes/{image_id}").json() == []
    download(alpha, image_id)

    assert admin.get(f"/v2/cache/nodes/{image_id}").json() == [admin.url]
    assert admin.get("/v2/cache/nodes/3e1b9b3c-0000-4000-8000-000000000000").status_code == 404


def test_the_cache_is_for_administrators(alpha: Client) -> None:
    """Nobody else sees or changes it."""
    image_id = alpha.active(DATA)["id"]
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("PUT", f"/{image_id}"),
        ("DELETE", f"/{image_id}"),
        ("POST", "/clean"),
        ("POST", "/prune"),
        ("GET", f"/nodes/{image_id}"),
    ):
        assert alpha.request(method, f"/v2/cache{path}").status_code == 403


# --- the settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('image_cache_dir = "c"\nimage_cache_max_size = 0', "image_cache_max_size is 0, but must be at least 1"),
        ('[[regions]]\nname = "a"\n[[regions.stores]]\nname = "s"\ncache = true', "needs image_cache_dir"),
        ('image_cache_dir = "images"', "image_cache_dir"),
    ],
)
def test_bad_settings(tmp_path: Path, text: str, problem: str) -> None:
    """A cache without room, none for a store that needs one, or one in the folder of a store, is refused."""
    config = tmp_path / "service.toml"
    config.write_text(text)
    with pytest.raises(SettingsError, match=problem):
        load_settings(config, environ={"ECL_SERVE_DATA_DIR": str(tmp_path)})
