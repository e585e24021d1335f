"""Locations in the documents of images, and their changes by PATCH, which the settings allow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.load import SettingsError, load_settings
from ecl.server.settings.model import ImageLimits, ImportSettings
from support.http_stub import Answer, HttpStub, Request
from support.region_service import Client, RegionService, poll, run_region

DATA = bytes(range(256)) * 8000
RAW = {"disk_format": "raw", "container_format": "bare"}
HASHES = {"os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(DATA).hexdigest()}
LOCAL = ImportSettings(allowed_ports=(), allowed_networks=("127.0.0.0/8",), idle_timeout=5)


@pytest.fixture
def elsewhere() -> Iterator[HttpStub]:
    """A server with DATA at /disk, which sends ranges, and at /plain, which does not; /short has too little."""

    def ranged(request: Request) -> Answer:
        wanted = request.headers.get("Range")
        if wanted is None:
            return Answer.data(DATA)
        first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        more = {"headers": {"Content-Range": f"bytes {first}-{len(DATA) - 1}/{len(DATA)}"}}
        return Answer.data(DATA[first:], 206, **more)

    with HttpStub() as stub:
        stub.on("GET", "/disk", ranged)
        stub.on("GET", "/plain", Answer.data(DATA))
        stub.on("GET", "/short", Answer.data(DATA[:-1]))
        stub.on("GET", "/missing", Answer(404))
        yield stub


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region that shows locations and lets them be changed, with a second store."""
    cheap = FolderStore(tmp_path / "images" / "cheap", "cheap")
    with run_region(
        tmp_path, more_stores=[cheap], imports=LOCAL, show_multiple_locations=True, show_image_direct_url=True
    ) as service:
        yield service


def add(url: str, position: str = "-", **more: Any) -> dict[str, Any]:
    """Return the operation that adds a location."""
    return {"op": "add", "path": f"/locations/{position}", "value": {"url": url, "metadata": {}, **more}}


def elsewhere_image(client: Client, url: str, **more: Any) -> dict[str, Any]:
    """Return an image whose data is at *url*."""
    image = client.create(**RAW)
    answer = client.patch(image["id"], add(url, **more))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def data_of(client: Client, image: dict[str, Any], **headers: str) -> bytes:
    """Return what a download gives."""
    answer = client.get(f"/v2/images/{image['id']}/file", headers=headers)
    assert answer.status_code in (200, 206), answer.text
    return bytes(answer.content)


# --- an image elsewhere -------------------------------------------------------------------------------------


def test_image_at_an_address(alpha: Client, elsewhere: HttpStub, region: RegionService) -> None:
    """A queued image with an address is active at once; no bytes are kept, and a download reads them there."""
    url = f"{elsewhere.url}/disk"
    image = elsewhere_image(alpha, url, metadata={"note": "mine"}, validation_data=HASHES)

    assert (image["status"], image["size"], image["stores"]) == ("active", len(DATA), "http")
    assert {name: image[name] for name in HASHES} == HASHES
    assert image["locations"] == [{"url": url, "metadata": {"note": "mine", "store": "http"}}]
    assert image["direct_url"] == url
    assert alpha.show(image["id"]) == image
    assert alpha.get("/v2/images").json()["images"] == [image]
    assert region.data_files() == []
    assert data_of(alpha, image) == DATA


@pytest.mark.parametrize("path", ["/disk", "/plain"])
def test_ranges_of_an_address(alpha: Client, elsewhere: HttpStub, path: str) -> None:
    """A range is read from the server elsewhere, whether that has ranges or not."""
    image = elsewhere_image(alpha, elsewhere.url + path)

    assert data_of(alpha, image, Range="bytes=1000000-1000009") == DATA[1_000_000:1_000_010]
    assert data_of(alpha, image, Range="bytes=-5") == DATA[-5:]


def test_changed_data_elsewhere(alpha: Client, elsewhere: HttpStub) -> None:
    """Other data of the same size ends a download before its last bytes; of another size, it is 503."""
    image = elsewhere_image(alpha, f"{elsewhere.url}/plain", validation_data=HASHES)
    elsewhere.on("GET", "/plain", Answer.data(DATA[:-1] + b"!"))
    with pytest.raises(Exception, match=r"(?i)broken|closed|incomplete|reset"):
        data_of(alpha, image)
    elsewhere.on("GET", "/plain", Answer.data(DATA + b"!"))

    assert alpha.get(f"/v2/images/{image['id']}/file").status_code == 503
    elsewhere.on("GET", "/plain", Answer(500))
    assert alpha.get(f"/v2/images/{image['id']}/file").status_code == 503


def test_copy_to_a_store(alpha: Client, admin: Client, elsewhere: HttpStub, region: RegionService) -> None:
    """copy-image brings the data from an address into a store of the service, which is then read first."""
    image = elsewhere_image(alpha, f"{elsewhere.url}/disk", validation_data=HASHES)
    body = {"method": {"name": "copy-image"}, "stores": ["cheap"]}
    assert admin.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 202
    poll(lambda: alpha.show(image["id"])["stores"] == "http,cheap")
    elsewhere.on("GET", "/disk", Answer(404))

    assert data_of(alpha, image) == DATA
    assert region.data_file(image["id"], "cheap").read_bytes() == DATA


def test_a_member_reads_from_elsewhere(region: RegionService, alpha: Client, elsewhere: HttpStub) -> None:
    """Who may download the image gets its data, and sees the address; who may not see the image sees nothing."""
    image = elsewhere_image(alpha, f"{elsewhere.url}/disk")
    beta = region.client("beta")
    assert beta.get(f"/v2/images/{image['id']}").status_code == 404
    assert alpha.patch(image["id"], {"op": "replace", "path": "/visibility", "value": "community"}).status_code == 200

    assert beta.show(image["id"])["locations"] == image["locations"]
    assert data_of(beta, image) == DATA


def test_delete_leaves_what_is_elsewhere(alpha: Client, elsewhere: HttpStub, region: RegionService) -> None:
    """Deleting the image asks nothing of the other server, and leaves nothing to be removed."""
    image = elsewhere_image(alpha, f"{elsewhere.url}/disk")
    before = len(elsewhere.requests)
    assert alpha.request("DELETE", f"/v2/images/{image['id']}").status_code == 204

    assert len(elsewhere.requests) == before
    with region.database.read() as connection:
        for table in ("image_locations", "garbage"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


# --- changes of locations -----------------------------------------------------------------------------------


def test_add_to_an_active_image(alpha: Client, admin: Client, elsewhere: HttpStub, region: RegionService) -> None:
    """An uploaded image gets an address with the same data; an admin can remove one of the two, not both."""
    image = alpha.active(DATA)
    changed = alpha.patch(image["id"], add(f"{elsewhere.url}/disk", "0", validation_data=HASHES)).json()
    assert changed["stores"] == "folder,http"
    assert [entry["metadata"]["store"] for entry in changed["locations"]] == ["folder", "http"]
    first = {"op": "remove", "path": "/locations/0"}
    assert alpha.patch(image["id"], first).status_code == 403
    removed = admin.patch(image["id"], first)
    assert [entry["url"] for entry in removed.json()["locations"]] == [f"{elsewhere.url}/disk"]
    assert region.data_files() == []
    assert data_of(alpha, image) == DATA

    assert admin.patch(image["id"], first).status_code == 403


def test_remove_the_address(alpha: Client, admin: Client, elsewhere: HttpStub) -> None:
    """Removing the address leaves the copy in the store."""
    image = alpha.active(DATA)
    assert alpha.patch(image["id"], add(f"{elsewhere.url}/disk")).status_code == 200
    for path in ("/locations/2", "/locations/x", "/locations/-1"):
        assert admin.patch(image["id"], {"op": "remove", "path": path}).status_code == 400
    removed = admin.patch(image["id"], {"op": "remove", "path": "/locations/1"})

    assert removed.json()["stores"] == "folder"
    assert data_of(alpha, image) == DATA


def test_replace(alpha: Client, elsewhere: HttpStub) -> None:
    """The list is set where there is none; after that only what is kept with each location can be replaced."""
    image, url = alpha.create(**RAW), f"{elsewhere.url}/disk"
    first = {"op": "replace", "path": "/locations", "value": [{"url": url, "metadata": {"a": "1"}}]}
    assert alpha.patch(image["id"], first).json()["status"] == "active"
    second = {"op": "replace", "path": "/locations", "value": [{"url": url, "metadata": {"b": "2"}}]}
    assert alpha.patch(image["id"], second).json()["locations"][0]["metadata"] == {"b": "2", "store": "http"}

    assert alpha.patch(image["id"], {"op": "replace", "path": "/locations", "value": []}).status_code == 403
    for value in ([{"url": url, "metadata": {}}] * 2, [{"url": f"{elsewhere.url}/plain", "metadata": {}}]):
        other = {"op": "replace", "path": "/locations", "value": value}
        assert alpha.patch(image["id"], other).status_code == 400
    assert alpha.show(image["id"])["locations"][0]["url"] == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "http:// or https://"),
        ("ftp://example.org/x", "http:// or https://"),
        ("HTTP/x", "http:// or https://"),
        ("http://", "host"),
        ("http://169.254.169.254/latest", "not on the public internet"),
        ("http://10.0.0.1/x", "not on the public internet"),
        ("http://[::1]/x", "not on the public internet"),
    ],
)
def test_addresses_that_are_refused(alpha: Client, url: str, words: str) -> None:
    """Only http and https addresses that web-download may ask are taken; the image stays queued."""
    image = alpha.create(**RAW)
    answer = alpha.patch(image["id"], add(url))

    assert answer.status_code == 400, answer.text
    assert words in answer.text
    assert alpha.show(image["id"])["status"] == "queued"


@pytest.mark.parametrize("path", ["/missing", "/unscripted"])
def test_address_that_does_not_answer(alpha: Client, elsewhere: HttpStub, path: str) -> None:
    """An address without the data is 400, with the server's status."""
    image = alpha.create(**RAW)
    answer = alpha.patch(image["id"], add(elsewhere.url + path))

    assert answer.status_code == 400
    assert "cannot be read" in answer.text
    assert "status" in answer.text
    assert alpha.show(image["id"])["locations"] == []
    elsewhere.unexpected.clear()


def test_conflicts(alpha: Client, elsewhere: HttpStub) -> None:
    """A second address, one that is there, another size, other hashes, missing formats: each is refused."""
    url = f"{elsewhere.url}/disk"
    image = elsewhere_image(alpha, url)
    uploaded = alpha.active(DATA)
    bare = alpha.create()
    wrong = {**HASHES, "os_hash_value": "0" * 128}

    assert alpha.patch(image["id"], add(url)).status_code == 400
    assert alpha.patch(image["id"], add(f"{elsewhere.url}/plain")).status_code == 409
    assert alpha.patch(uploaded["id"], add(f"{elsewhere.url}/short")).status_code == 400
    assert alpha.patch(uploaded["id"], add(url, validation_data=wrong)).status_code == 409
    assert alpha.patch(bare["id"], add(url)).status_code == 400
    queued = alpha.create(**RAW)
    other = {"os_hash_algo": "sha256", "os_hash_value": "0" * 64}
    assert alpha.patch(queued["id"], add(url, validation_data=other)).status_code == 409
    short = {"os_hash_algo": "sha512", "os_hash_value": "0" * 64}
    assert alpha.patch(queued["id"], add(url, validation_data=short)).status_code == 400
    for value in ({}, {"url": url}, {"url": 5, "metadata": {}}, [], None):
        assert alpha.patch(queued["id"], {**add(url), "value": value}).status_code == 400
    for path in ("/locations", "/locations/-/url"):
        assert alpha.patch(queued["id"], {**add(url), "path": path}).status_code == 400
    assert alpha.show(queued["id"])["locations"] == []


def test_a_change_is_all_or_nothing(alpha: Client, elsewhere: HttpStub) -> None:
    """If one operation of a PATCH fails, the others have no effect."""
    image = alpha.create(**RAW)
    name = {"op": "replace", "path": "/name", "value": "new"}
    answer = alpha.patch(image["id"], name, add(f"{elsewhere.url}/disk"), {"op": "remove", "path": "/locations/0"})

    assert answer.status_code == 403
    kept = alpha.show(image["id"])
    assert (kept["name"], kept["status"], kept["locations"]) == (None, "queued", [])


def test_who_may_change_locations(region: RegionService, alpha: Client, elsewhere: HttpStub) -> None:
    """Only who may change the image makes the service ask an address at all."""
    image = alpha.create(**RAW, visibility="community")
    for client, status in ((region.client("beta"), 403), (region.client("alpha", roles=("reader",)), 403)):
        assert client.patch(image["id"], add(f"{elsewhere.url}/disk")).status_code == status

    assert elsewhere.requests == []


def test_quota_and_size_limit(tmp_path: Path, elsewhere: HttpStub) -> None:
    """What is elsewhere counts towards the project's limit, and has the largest size of an image."""
    for name, limits in (("a", ImageLimits(image_size_total=1)), ("b", ImageLimits(image_size_cap=1000))):
        (tmp_path / name).mkdir()
        settings = {"imports": LOCAL, "show_multiple_locations": True}
        with run_region(tmp_path / name, limits=limits, **settings) as service:
            alpha = service.client("alpha")
            image = alpha.create(**RAW)

            assert alpha.patch(image["id"], add(f"{elsewhere.url}/disk")).status_code == 413


# --- the settings -------------------------------------------------------------------------------------------


def test_off_by_default(tmp_path: Path, elsewhere: HttpStub) -> None:
    """Without the settings, locations are neither shown nor changed, and there is no store for them."""
    with run_region(tmp_path, imports=LOCAL) as service:
        alpha = service.client("alpha")
        image = alpha.active(DATA)

        assert not {"locations", "direct_url"} & image.keys()
        assert alpha.patch(image["id"], add(f"{elsewhere.url}/disk")).status_code == 403
        assert alpha.get("/v2/info/stores").json() == {"stores": [{"id": "folder", "default": "true"}]}
    assert elsewhere.requests == []


def test_the_store_is_listed(alpha: Client, admin: Client) -> None:
    """With the setting, the store http is there, to read only; nothing is uploaded to it."""
    assert alpha.get("/v2/info/stores").json()["stores"][-1] == {"id": "http", "read-only": "true"}
    assert admin.get("/v2/info/stores/detail").json()["stores"][-1]["type"] == "http"
    image = alpha.create(**RAW)
    assert alpha.upload(image["id"], b"x", {"X-Image-Meta-Store": "http"}).status_code == 410


def test_a_store_named_http(tmp_path: Path) -> None:
    """A store of the settings cannot have the name of that store."""
    config = tmp_path / "service.toml"
    config.write_text('show_multiple_locations = true\n[[regions]]\nname = "jp1"\n[[regions.stores]]\nname = "http"\n')
    with pytest.raises(SettingsError, match="'http' with show_multiple_locations: rename it"):
        load_settings(config, environ={"ECL_SERVE_DATA_DIR": str(tmp_path)})
