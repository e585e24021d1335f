"""Options that are off by default, on here on both sides: locations, the image cache, formats that need not match."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from glance_backend import glance_is_installed
from twin import OCTETS, Twin, run_twin

from support.http_stub import Answer, HttpStub

DATA = bytes(range(256)) * 40
RAW = {"disk_format": "raw", "container_format": "bare"}
HASHES = {"os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(DATA).hexdigest()}
GLANCE = """
[DEFAULT]
enabled_backends = fast:file,cheap:file,http:http
show_multiple_locations = true
show_image_direct_url = true
image_cache_dir = {folder}/cache
[image_format]
require_image_format_match = false
[http]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """Both services, with these options."""
    if not glance_is_installed():
        pytest.skip("no Glance in .venvs (scripts/test-inputs)")
    settings = {
        "show_multiple_locations": True,
        "show_image_direct_url": True,
        "require_image_format_match": False,
        "image_cache_dir": Path(tmp_path_factory.mktemp("cache")),
    }
    with run_twin(GLANCE, **settings) as twin:
        yield twin


@pytest.fixture
def both(running: Twin) -> Iterator[Twin]:
    """Both services without images; whatever differed fails the test at its end."""
    yield running
    try:
        running.check()
    finally:
        running.clear()


@pytest.fixture
def elsewhere() -> Iterator[HttpStub]:
    """A server with DATA at /disk and /again, and nothing at /missing."""
    with HttpStub() as stub:
        for method in ("GET", "HEAD"):
            stub.on(method, "/disk", Answer.data(DATA))
            stub.on(method, "/again", Answer.data(DATA))
            stub.on(method, "/missing", Answer(404))
        yield stub


def add(url: str, **more: Any) -> dict[str, Any]:
    return {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}, **more}}


def test_image_elsewhere(both: Twin, elsewhere: HttpStub) -> None:
    """An address makes a queued image active, with the same document and the same data on both sides."""
    image = both.create(**RAW)
    both.send("GET", f"/v2/images/{image}")
    added = add(f"{elsewhere.url}/disk", validation_data=HASHES)
    assert both.patch(image, added, differs="locations-echo").status == 200
    both.send("GET", f"/v2/images/{image}")
    assert both.send("GET", f"/v2/images/{image}/file").content == DATA
    both.send("GET", "/v2/images")
    both.send("GET", "/v2/info/stores")
    value = [{"url": f"{elsewhere.url}/disk", "metadata": {"a": "b"}}]
    both.patch(image, {"op": "replace", "path": "/locations", "value": value})
    both.send("DELETE", f"/v2/images/{image}")


def test_refused_changes(both: Twin, elsewhere: HttpStub) -> None:
    """What neither takes: formats that are missing, bad addresses, other hashes, a last location, a bad place."""
    url = f"{elsewhere.url}/disk"
    bare, queued, active = both.create(), both.create(**RAW), both.create(**RAW)
    both.patch(active, add(url))
    both.patch(bare, add(url))
    for other in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://169.254.169.254/x", "x"):
        assert both.patch(queued, add(other)).status == 400
    both.patch(active, add(url))
    for who in ("member", "admin"):
        both.patch(active, {"op": "remove", "path": "/locations/0"}, who=who)
        both.patch(queued, {"op": "remove", "path": "/locations/0"}, who=who)
    both.patch(active, {"op": "replace", "path": "/locations", "value": []})
    both.patch(active, {"op": "replace", "path": "/locations/0", "value": []})
    both.patch(active, {"op": "add", "path": "/locations", "value": []})
    both.patch(active, add(url, validation_data={**HASHES, "os_hash_value": "0" * 128}))
    both.patch(queued, add(url, validation_data={"os_hash_algo": "sha256", "os_hash_value": "0" * 64}))
    both.patch(queued, {**add(url), "value": {"url": url}})
    both.patch(queued, {**add(url), "path": "/locations/x"})
    both.send("GET", f"/v2/images/{queued}")


def test_who_may_change_locations(both: Twin, elsewhere: HttpStub) -> None:
    """Only who may change the image; what one does not see is 404."""
    hidden, shown = both.create(**RAW), both.create(**RAW, visibility="community")
    for who in ("reader", "other"):
        both.patch(hidden, add(f"{elsewhere.url}/disk"), who=who)
        both.patch(shown, add(f"{elsewhere.url}/disk"), who=who)


def test_formats_need_not_match(both: Twin) -> None:
    """Data of another format than the image's is taken, and has no virtual size."""
    image = both.create(disk_format="qcow2", container_format="bare")
    assert both.send("PUT", f"/v2/images/{image}/file", data=DATA, Content_Type=OCTETS).status == 204
    assert both.send("GET", f"/v2/images/{image}/file").content == DATA


def test_cache(both: Twin, elsewhere: HttpStub) -> None:
    """Queue, prune, clean, delete and clear answer alike, also where they are refused."""
    image, queued = both.create(**RAW), both.create(**RAW)
    both.patch(image, add(f"{elsewhere.url}/disk"))
    both.send("GET", "/v2/cache", who="admin")
    both.send("GET", "/v2/cache")
    both.send("GET", f"/v2/cache/nodes/{image}", who="admin")
    both.send("PUT", f"/v2/cache/{image}")
    assert both.send("PUT", f"/v2/cache/{image}", who="admin").status == 202
    both.send("PUT", f"/v2/cache/{queued}", who="admin")
    both.send("PUT", f"/v2/cache/{both.new_id()}", who="admin")
    both.send("POST", "/v2/cache/prune", who="admin")
    both.send("POST", "/v2/cache/clean", who="admin")
    both.send("DELETE", f"/v2/cache/{image}", who="admin")
    both.send("DELETE", f"/v2/cache/{both.new_id()}", who="admin")
    both.send("DELETE", "/v2/cache", who="admin", x_image_cache_clear_target="other")
    both.send("DELETE", "/v2/cache", who="admin", x_image_cache_clear_target="cache")
    assert both.send("DELETE", "/v2/cache", who="admin").status == 204
