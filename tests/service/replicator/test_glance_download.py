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


@pytest.mark.parametrize("own", [True, False], ids=["own project", "another's"])
def test_image_of_the_same_region(service: ImageService, near: Proxy, own: bool) -> None:
    """An image of the region itself is imported, if the project may download it; else the task says it is not there."""
    owner = near if own else service.connect(project=service.add_project("jp1")).image
    source = owner.create_image(data=DATA, visibility="private", **FORMATS)
    image = _import(near, source, "jp1")

    if own:
        done = near.wait_for_image(image, interval=0.1, wait=60)
        assert near.download_image(done) == DATA
    else:
        with pytest.raises(exceptions.ResourceFailure, match="has no image"):
            near.wait_for_image(image, interval=0.1, wait=60)


@pytest.mark.parametrize("lacks", ["region", "image"])
def test_what_is_not_there_fails_the_task(near: Proxy, far: Proxy, lacks: str) -> None:
    """A region or an image that is not there is accepted; the task fails, and the image is as it was before."""
    source = far.create_image(data=DATA, visibility="community", hw_disk_bus="scsi", **FORMATS)
    if lacks == "image":
        far.delete_image(source)
    image = near.create_image(disk_format="qcow2", container_format="bare", own="kept")
    region = "nowhere" if lacks == "region" else "jp2"
    near.import_image(image, "glance-download", remote_region=region, remote_image_id=source.id)

    with pytest.raises(exceptions.ResourceFailure, match="no region 'nowhere'" if lacks == "region" else "no image"):
        near.wait_for_image(image, interval=0.1, wait=60)
    (task,) = near.image_tasks(image)
    assert task.status == "failure"
    shown = near.get_image(image)
    assert (shown.image_status, shown.disk_format) == ("queued", "qcow2")
    assert {name: value for name, value in shown.properties.items() if not name.startswith("os_glance")} == {
        "own": "kept"
    }


@pytest.mark.parametrize("image_id", ["x", "0" * 31])
def test_malformed_id_is_refused(near: Proxy, image_id: str) -> None:
    """An ID that no image can have is refused at once, in Glance's words."""
    image = near.create_image(**FORMATS)
    with pytest.raises(exceptions.BadRequestException, match="image id does not look like a UUID"):
        near.import_image(image, "glance-download", remote_region="jp2", remote_image_id=image_id)
    assert near.get_image(image).image_status == "queued"
