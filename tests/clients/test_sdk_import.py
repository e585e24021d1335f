"""The SDK's calls on imports, tasks, stores and availability, against the embedded service and a real Glance alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clouds import Cloud, EmbeddedCloud, NewImage

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.http_stub import Answer, HttpStub

DATA = os.urandom(300_000)
FORMATS = {"disk_format": "raw", "container_format": "bare"}
NOWHERE = "3e1b9b3c-0000-4000-8000-000000000000"


@pytest.fixture
def origin() -> Iterator[HttpStub]:
    """A server with DATA at /image."""
    with HttpStub() as stub:
        for method in ("GET", "HEAD"):
            stub.on(method, "/image", Answer.data(DATA))
        yield stub


@pytest.fixture
def admin(cloud: Cloud) -> Proxy:
    """The image service as an administrator sees it."""
    return cloud.connect("admin")


# --- import -------------------------------------------------------------------------------------------------


def test_import_info(proxy: Proxy) -> None:
    """The methods that the cloud has are a list of names."""
    info = proxy.get_import_info()

    assert {"glance-direct", "web-download", "copy-image"} <= set(info.methods)
    assert info.import_methods["type"] == "array"


@pytest.mark.parametrize("kind", ["bytes", "path", "blocks", "filename"])
def test_stage_and_import(proxy: Proxy, new_image: NewImage, tmp_path: Path, kind: str) -> None:
    """What is staged is imported, from whatever it was read."""
    image = new_image(**FORMATS)
    path = tmp_path / "image"
    path.write_bytes(DATA)
    if kind == "filename":
        staged = proxy.stage_image(image, filename=str(path))
    else:
        staged = proxy.stage_image(image, {"bytes": DATA, "path": path, "blocks": iter([DATA])}[kind])

    assert (staged.image_status, staged.size, staged.checksum) == ("uploading", len(DATA), None)
    proxy.import_image(image)
    done = proxy.wait_for_image(image, interval=0.2, wait=60)
    assert (done.image_status, done.size, done.stores) == ("active", len(DATA), "fast")
    assert proxy.download_image(done) == DATA


def test_web_download(proxy: Proxy, new_image: NewImage, origin: HttpStub) -> None:
    """The cloud fetches the data from an address, into the store that is asked for."""
    image = new_image(**FORMATS)
    proxy.import_image(image, "web-download", uri=f"{origin.url}/image", store="cheap")

    done = proxy.wait_for_image(image, interval=0.2, wait=60)
    assert (done.image_status, done.stores) == ("active", "cheap")
    assert proxy.download_image(done) == DATA


def test_failed_import_says_so(proxy: Proxy, new_image: NewImage, origin: HttpStub) -> None:
    """wait_for_image() raises at once when the import failed, and the image can be imported again."""
    for method in ("GET", "HEAD"):
        origin.on(method, "/missing", Answer(404))
    image = new_image(**FORMATS)
    proxy.import_image(image, "web-download", uri=f"{origin.url}/missing")

    with pytest.raises(exceptions.ResourceFailure, match=f"import of image {image.id} failed: ."):
        proxy.wait_for_image(image, interval=0.2, wait=60)
    proxy.import_image(image, "web-download", uri=f"{origin.url}/image")
    assert proxy.wait_for_image(image, interval=0.2, wait=60).image_status == "active"


def test_import_to_all_stores(proxy: Proxy, new_image: NewImage, origin: HttpStub) -> None:
    """all_stores is every store that takes data."""
    image = new_image(**FORMATS)
    proxy.import_image(image, "web-download", uri=f"{origin.url}/image", all_stores=True)

    done = proxy.wait_for_image(image, interval=0.2, wait=60)
    assert set((done.stores or "").split(",")) == {"fast", "cheap"}


def test_copy_image_between_stores(proxy: Proxy, admin: Proxy, new_image: NewImage) -> None:
    """An administrator copies an image to another store, and deletes it from the first."""
    image = new_image(data=DATA, **FORMATS)
    with pytest.raises(exceptions.ForbiddenException):
        proxy.import_image(image, "copy-image", stores=["cheap"])

    admin.import_image(image, "copy-image", stores=["cheap"])
    both = proxy.wait_for_image(image, interval=0.2, wait=60)
    assert set((both.stores or "").split(",")) == {"fast", "cheap"}
    with pytest.raises(exceptions.ForbiddenException):
        proxy.delete_image_from_store(image, "fast")
    admin.delete_image_from_store(image, "fast")
    assert proxy.get_image(image).stores == "cheap"
    with pytest.raises(exceptions.ForbiddenException):
        admin.delete_image_from_store(image, "cheap")
    with pytest.raises(exceptions.ConflictException):
        admin.delete_image_from_store(image, "nowhere")
    admin.delete_image(NOWHERE, store="cheap")
    with pytest.raises(exceptions.ResourceNotFound):
        admin.delete_image_from_store(NOWHERE, "cheap", ignore_missing=False)


def test_import_conflicts(proxy: Proxy, new_image: NewImage, origin: HttpStub) -> None:
    """An image in the wrong state, and a store that is not there, are conflicts."""
    queued, active = new_image(**FORMATS), new_image(data=DATA, **FORMATS)

    for image, method, more in (
        (queued, "glance-direct", {}),
        (active, "web-download", {"uri": f"{origin.url}/image"}),
        (queued, "web-download", {"uri": f"{origin.url}/image", "stores": ["nowhere"]}),
        (new_image(), "web-download", {"uri": f"{origin.url}/image"}),
    ):
        with pytest.raises(exceptions.ConflictException):
            proxy.import_image(image, method, **more)
    with pytest.raises(exceptions.ConflictException):
        proxy.stage_image(active, DATA)
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.import_image(NOWHERE, "web-download", uri=f"{origin.url}/image")


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "web-download"},
        {"method": "glance-direct", "uri": "http://images.example/x"},
        {"method": "glance-download", "remote_region": "jp2"},
        {"method": "glance-direct", "remote_region": "jp2", "remote_image_id": NOWHERE},
        {"store": "fast", "stores": ["cheap"]},
        {"store": "fast", "all_stores": True},
    ],
)
def test_arguments_that_do_not_belong_together(proxy: Proxy, arguments: dict[str, object]) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest):
        proxy.import_image(NOWHERE, **arguments)


@pytest.mark.parametrize("uri", ["ftp://images.example/x", "file:///etc/passwd", "images.example"])
def test_addresses_that_no_cloud_goes_to(proxy: Proxy, new_image: NewImage, uri: str) -> None:
    """The cloud refuses them at once."""
    with pytest.raises(exceptions.BadRequestException):
        proxy.import_image(new_image(**FORMATS), "web-download", uri=uri)


# --- tasks --------------------------------------------------------------------------------------------------


def test_tasks(proxy: Proxy, admin: Proxy, new_image: NewImage, origin: HttpStub) -> None:
    """The tasks of an image are for who sees it, tasks as such for administrators."""
    image = new_image(**FORMATS)
    proxy.import_image(image, "web-download", uri=f"{origin.url}/image")
    proxy.wait_for_image(image, interval=0.2, wait=60)

    (task,) = proxy.image_tasks(image)
    assert (task.type, task.status, task.image_id) == ("api_image_import", "success", image.id)
    with pytest.raises(exceptions.ForbiddenException):
        list(proxy.tasks())
    with pytest.raises(exceptions.ForbiddenException):
        proxy.get_task(task.id)
    same = admin.wait_for_task(task.id, interval=0.2)
    assert (same.id, same.status, same.input["import_req"]["method"]["name"]) == (task.id, "success", "web-download")
    assert task.id in [each.id for each in admin.tasks(limit=1, status="success")]
    with pytest.raises(exceptions.ResourceNotFound):
        admin.get_task(NOWHERE)
    with pytest.raises(exceptions.NotFoundException):
        list(proxy.image_tasks(NOWHERE))


# --- stores, usage, locations -------------------------------------------------------------------------------


def test_stores(proxy: Proxy, admin: Proxy) -> None:
    """Everybody sees names and flags, administrators how each store is set up."""
    stores = {store.id: store for store in proxy.stores()}

    assert set(stores) == {"fast", "cheap"}
    assert [name for name, store in stores.items() if store.is_default] == ["fast"]
    assert stores["cheap"].description == "second store"
    assert not stores["cheap"].is_read_only
    with pytest.raises(exceptions.ForbiddenException):
        list(proxy.stores(details=True))
    detailed = admin.get_store("cheap", details=True)
    assert detailed.type == "file"
    assert "data_dir" in (detailed.properties or {})
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.get_store("nowhere")


def test_usage_without_limits(proxy: Proxy) -> None:
    """Where nothing is limited, each attribute is None."""
    usage = proxy.usage()

    assert (usage.image_count_total, usage.image_size_total) == (None, None)


def test_locations_are_for_administrators(proxy: Proxy, admin: Proxy, new_image: NewImage) -> None:
    """They see where the data is; its owner does not."""
    image = new_image(data=DATA, **FORMATS)

    (location,) = admin.image_locations(image)
    # A Glance names the file by the image; the service here by a key of its own.
    assert (location.url or "").startswith("file:///")
    assert (location.metadata or {})["store"] == "fast"
    with pytest.raises(exceptions.ForbiddenException):
        list(proxy.image_locations(image))
    with pytest.raises((exceptions.ForbiddenException, exceptions.ConflictException)):
        proxy.add_image_location(new_image(**FORMATS), "file:///etc/passwd")


def test_add_location(embedded: EmbeddedCloud, origin: HttpStub) -> None:
    """The embedded service fetches what a location points to, and holds it to the announced hash."""
    proxy = embedded.connect()
    image = proxy.create_image(**FORMATS)
    proxy.add_image_location(image, f"{origin.url}/image", validation_data={
        "os_hash_algo": "sha512", "os_hash_value": "0" * 128,
    })  # fmt: skip
    with pytest.raises(exceptions.ResourceFailure, match="os_hash_value"):
        proxy.wait_for_image(image, interval=0.1)
    proxy.add_image_location(image, f"{origin.url}/image")
    assert proxy.download_image(proxy.wait_for_image(image, interval=0.1)) == DATA
    proxy.delete_image(image)


def test_limits_show_in_usage(origin: HttpStub) -> None:
    """A service with limits says how much of them is used, and refuses what goes beyond."""
    from ecl.testing import ImageService

    with ImageService(("jp1",), limits={"image_count_total": 1, "image_size_total": 1}) as service:
        proxy = service.connect().image
        proxy.create_image(data=DATA, **FORMATS)
        assert proxy.usage().image_count_total == {"usage": 1, "limit": 1}
        with pytest.raises(exceptions.HttpException) as refused:
            proxy.create_image()
        assert refused.value.http_status == 413


# --- availability, cache, members ---------------------------------------------------------------------------


def test_deactivate_and_reactivate(proxy: Proxy, new_image: NewImage) -> None:
    """A deactivated image cannot be downloaded until it is reactivated; both may be repeated."""
    image = new_image(data=DATA, **FORMATS)

    for _ in range(2):
        proxy.deactivate_image(image)
    assert proxy.get_image(image).image_status == "deactivated"
    with pytest.raises(exceptions.ForbiddenException):
        proxy.download_image(image.id)
    for _ in range(2):
        proxy.reactivate_image(image)
    assert proxy.download_image(image) == DATA
    with pytest.raises(exceptions.ForbiddenException):
        proxy.deactivate_image(new_image())
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.deactivate_image(NOWHERE)


def test_no_cache(proxy: Proxy, admin: Proxy) -> None:
    """A cloud without a cache has none to show, to fill or to clear."""
    with pytest.raises(exceptions.NotFoundException):
        admin.get_image_cache()
    with pytest.raises(exceptions.NotFoundException):
        admin.clear_cache()
    with pytest.raises(exceptions.NotFoundException):
        admin.queue_image(NOWHERE)
    # A Glance without a cache fails here: 500.
    with pytest.raises((exceptions.NotFoundException, exceptions.ServerException)):
        admin.cache_delete_image(NOWHERE, ignore_missing=False)
    with pytest.raises(exceptions.InvalidRequest):
        admin.clear_cache("everything")  # type: ignore[arg-type]
    with pytest.raises((exceptions.ForbiddenException, exceptions.NotFoundException)):
        proxy.get_image_cache()


def test_find_member(cloud: Cloud, proxy: Proxy, new_image: NewImage) -> None:
    """A member is found by the project's ID; none is None, or an error."""
    image = new_image()
    other = cloud.project_id("other")
    proxy.create_member(image, member=other)

    found = proxy.find_member(other, image)
    assert found is not None
    assert found.member_id == other
    assert proxy.find_member("0" * 32, image) is None
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.find_member("0" * 32, image, ignore_missing=False)


def test_waiting_for_an_image_ends(proxy: Proxy, new_image: NewImage) -> None:
    """An image that never gets there is given up in time, one that is gone at once."""
    image = new_image()

    with pytest.raises(exceptions.ResourceTimeout, match="'queued', not 'active'"):
        proxy.wait_for_image(image, interval=0.1, wait=0.3)
    assert proxy.wait_for_image(image, "queued").id == image.id
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.wait_for_image(NOWHERE)
