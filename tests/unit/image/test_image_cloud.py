"""What the cloud is, can do and has in its cache: the request that leaves, and the object that comes back."""

from __future__ import annotations

from types import GeneratorType

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image
from ecl.image.v2.service_info import Version
from support.http_stub import Answer

# As a Glance 33 with a cache answers.
CACHED = {
    "id": 1,
    "image_id": "abc",
    "last_accessed": 1795450115.349035,
    "last_modified": 1795450114.338911,
    "size": 10,
    "hits": 1,
    "checksum": None,
}


def test_versions(proxy, stub):
    """versions() is a generator of what the cloud lists; which one is current is a status, not a place in the list."""
    links = [{"rel": "self", "href": f"{stub.url}/v2/"}]
    listed = [{"id": "v2.15", "status": "SUPPORTED", "links": links}, {"id": "v2.17", "status": "CURRENT"}]
    stub.on("GET", "/versions", Answer.json({"versions": listed}))
    versions = proxy.versions()

    assert isinstance(versions, GeneratorType)
    found = list(versions)
    assert [type(each) for each in found] == [Version, Version]
    assert {each.status: each.id for each in found} == {"SUPPORTED": "v2.15", "CURRENT": "v2.17"}
    assert found[0].links == links


def test_cache(proxy, stub):
    """The cache's contents are one object."""
    stub.on("GET", "/v2/cache", Answer.json({"cached_images": [CACHED], "queued_images": ["def"]}))
    cache = proxy.get_image_cache()

    assert cache.cached_images == [CACHED]
    assert cache.queued_images == ["def"]


@pytest.mark.parametrize(
    ("call", "line", "status"),
    [
        (lambda proxy: proxy.queue_image(Image.existing(id="abc")), "PUT /v2/cache/abc", 202),
        (lambda proxy: proxy.cache_delete_image("abc"), "DELETE /v2/cache/abc", 204),
        (lambda proxy: proxy.clear_cache(), "DELETE /v2/cache", 204),
        (lambda proxy: proxy.clean_cache(), "POST /v2/cache/clean", 200),
    ],
)
def test_changes_of_the_cache(call, line, status, proxy, stub):
    """Each is one request, whose answer says nothing."""
    method, _, path = line.partition(" ")
    stub.on(method, path, Answer(status))

    assert call(proxy) is None
    assert stub.lines == [line]


@pytest.mark.parametrize(("target", "header"), [("both", None), ("cache", "cache"), ("queue", "queue")])
def test_what_is_cleared(target, header, proxy, stub):
    """Cache, queue or both are cleared."""
    stub.on("DELETE", "/v2/cache", Answer(204))
    proxy.clear_cache(target)

    assert stub.last.headers.get("x-image-cache-clear-target") == header


def test_what_is_missing_in_the_cache(proxy, stub):
    """An image that is in neither cache nor queue is an error where one is wanted."""
    stub.on("DELETE", "/v2/cache/abc", Answer(404))
    proxy.cache_delete_image("abc")
    with pytest.raises(exceptions.ResourceNotFound, match="abc"):
        proxy.cache_delete_image("abc", ignore_missing=False)


def test_prune(proxy, stub):
    """Pruning says what it has dropped."""
    stub.on("POST", "/v2/cache/prune", Answer.json({"total_files_pruned": 2, "total_bytes_pruned": 20}))

    assert proxy.prune_cache() == {"total_files_pruned": 2, "total_bytes_pruned": 20}


def test_nodes(proxy, stub):
    """The nodes that have an image are a list of addresses."""
    stub.on("GET", "/v2/cache/nodes/abc", Answer.json(["http://node-1:9292"]))

    assert proxy.cached_image_nodes("abc") == ["http://node-1:9292"]


@pytest.mark.parametrize("call", [lambda proxy: proxy.prune_cache(), lambda proxy: proxy.cached_image_nodes("abc")])
def test_answers_of_another_kind(call, proxy, stub):
    """An answer that is not what the API says is an error."""
    stub.on("POST", "/v2/cache/prune", Answer.json([]))
    stub.on("GET", "/v2/cache/nodes/abc", Answer.json({}))
    with pytest.raises(exceptions.InvalidResponse):
        call(proxy)
