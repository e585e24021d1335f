"""Import of an image of another region: who may, and what arrives."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.testing import ImageService

DATA = os.urandom(2_500_000)
FORMATS = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """A service with two regions."""
    with ImageService(("jp1", "jp2")) as running:
        yield running


@pytest.fixture
def near(service: ImageService) -> Proxy:
    """Region jp1, as its member sees it."""
    return service.connect("jp1").image


@pytest.fixture
def far(service: ImageService) -> Proxy:
    """Region jp2, as its member sees it."""
    return service.connect("jp2").image


def _import(near: Proxy, source: Image, region: str = "jp2") -> Image:
    image = near.create_image(**FORMATS)
    near.import_image(image, "glance-download", remote_region=region, remote_image_id=source.id)
    return image


@pytest.mark.parametrize("visibility", ["community", "shared"])
def test_what_the_project_may_download_there_arrives(
    service: ImageService, near: Proxy, far: Proxy, visibility: str
) -> None:
    """An image of all, or one that is shared with the project, is imported with its bytes."""
    source = far.create_image(data=DATA, visibility=visibility, **FORMATS)
    if visibility == "shared":
        far.create_member(source, member=service.credentials("jp1")["project_id"])

    done = near.wait_for_image(_import(near, source), interval=0.1, wait=60)
    assert done.os_hash_value == source.os_hash_value
    assert near.download_image(done) == DATA


def test_what_it_may_not_download_there_does_not(near: Proxy, far: Proxy) -> None:
    """Another project's private or unshared image is not found, in the same words as one that is not there."""
    words = []
    for visibility in ("private", "shared"):
        source = far.create_image(data=DATA, visibility=visibility, **FORMATS)
        image = _import(near, source)
        with pytest.raises(exceptions.ResourceFailure) as failed:
            near.wait_for_image(image, interval=0.1, wait=60)
        words.append(failed.value.message.replace(str(source.id), "ID").replace(str(image.id), "ID"))
        assert near.get_image(image).image_status == "queued"
        far.delete_image(source)
        image = _import(near, source)
        with pytest.raises(exceptions.ResourceFailure) as failed:
            near.wait_for_image(image, interval=0.1, wait=60)
        words.append(failed.value.message.replace(str(source.id), "ID").replace(str(image.id), "ID"))
    assert len(set(words)) == 1, words


@pytest.mark.parametrize("region", ["jp1", "nowhere"])
def test_regions_that_are_not_other_regions(near: Proxy, far: Proxy, region: str) -> None:
    """A region that the service does not know, or the image's own, is refused at once."""
    source = far.create_image(**FORMATS)
    with pytest.raises(exceptions.BadRequestException):
        _import(near, source, region)
