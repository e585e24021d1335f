"""What an import of an image of another region takes over beside its bytes, and when it takes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.testing import ImageService

DATA = b"0123456789" * 100
#: Those that follow, by their beginnings, and some that do not.
FOLLOW = {"hw_disk_bus": "scsi", "trait:CUSTOM": "required", "os_distro": "debian", "os_secure_boot": "x"}
STAY = {"os_version": "13", "description": "of the other region", "img_hw_x": "1"}
QUOTA = 10


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """A service with two regions, the first with two stores; ten properties for an image, 1 MiB for a project."""
    near = {"name": "jp1", "stores": [{"name": "fast"}, {"name": "cheap"}]}
    with ImageService((near, "jp2"), limits={"image_property_quota": QUOTA, "image_size_total": 1}) as running:
        yield running


@pytest.fixture
def near(service: ImageService) -> Proxy:
    """Region jp1, as its member sees it."""
    return service.connect("jp1").image


@pytest.fixture
def source(service: ImageService) -> Image:
    """An active raw image of region jp2."""
    attributes = {"visibility": "community", "disk_format": "raw", "container_format": "bare", **FOLLOW, **STAY}
    return service.connect("jp2").image.create_image(data=DATA, **attributes)


def _own(image: Image) -> dict[str, str]:
    """Return the properties that the service did not add itself."""
    return {name: value for name, value in image.properties.items() if not name.startswith("os_glance")}


def _import(near: Proxy, source: Image, **attributes: str) -> Image:
    """Ask for the import of *source* into a new image that says of itself that it is a qcow2 in an ovf."""
    image = near.create_image(disk_format="qcow2", container_format="ovf", **attributes)
    near.import_image(image, "glance-download", remote_region="jp2", remote_image_id=source.id, all_stores=True)
    return image


def test_formats_and_some_properties_follow(near: Proxy, source: Image) -> None:
    """As by a Glance's defaults; what the image had of its own stays, unless the other one says otherwise."""
    done = near.wait_for_image(_import(near, source, os_distro="mine", own="kept"), interval=0.1, wait=60)

    assert _own(done) == {**FOLLOW, "own": "kept"}
    # The bytes were looked at as raw: only of a bare raw image they tell the size of the disk.
    assert (done.disk_format, done.container_format, done.virtual_size) == ("raw", "bare", len(DATA))


def test_failed_import_takes_nothing_over(near: Proxy, source: Image) -> None:
    """An image that cannot have all of the properties is as it was before, and its task says why."""
    mine = {f"own_{number}": "1" for number in range(QUOTA - len(FOLLOW) + 1)}
    image = _import(near, source, **mine)

    with pytest.raises(exceptions.ResourceFailure, match=f"at most {QUOTA} properties"):
        near.wait_for_image(image, interval=0.1, wait=60)
    shown = near.get_image(image)
    assert (shown.image_status, shown.disk_format, shown.container_format) == ("queued", "qcow2", "ovf")
    assert _own(shown) == mine


def test_failed_store_takes_nothing_over(service: ImageService, near: Proxy, source: Image) -> None:
    """The same if one of two stores has the bytes already when the other one fails."""
    (uploads,) = (service.data_dir / "images").glob("**/cheap/.uploads")
    uploads.rmdir()
    try:
        image = _import(near, source)
        with pytest.raises(exceptions.ResourceFailure, match="store"):
            near.wait_for_image(image, interval=0.1, wait=60)
    finally:
        uploads.mkdir()
    shown = near.get_image(image)
    assert (shown.image_status, shown.disk_format, shown.container_format) == ("queued", "qcow2", "ovf")
    assert _own(shown) == {}


def test_image_without_room_is_not_fetched(service: ImageService, near: Proxy) -> None:
    """What is larger than what is left of the project's share is refused by the size that the other region names."""
    formats = {"disk_format": "raw", "container_format": "bare"}
    source = service.connect("jp2").image.create_image(data=bytes(600_000), visibility="community", **formats)
    filler = near.create_image(data=bytes(600_000), **formats)

    image = _import(near, source)
    with pytest.raises(exceptions.ResourceFailure, match="bytes that there is room for"):
        near.wait_for_image(image, interval=0.1, wait=60)
    for made in (filler, image):
        near.delete_image(made)
