"""transfer.copy(): from one cloud to another, with nothing in between."""

from __future__ import annotations

from typing import Any

import pytest

from ecl import exceptions
from ecl.image import transfer
from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage, left_threads

_MIB = 1 << 20


@pytest.fixture
def there(service: ImageService) -> Any:
    """The image service of the other region, without images."""
    proxy = service.connect("jp2").image
    yield proxy
    for image in list(proxy.images()):
        proxy.delete_image(image)


def test_copy(direct: Proxy, there: Proxy, new_image: NewImage) -> None:
    """The copy has data, attributes, tags and properties of the original; progress tells of all bytes."""
    image = new_image(
        DATA, name="original", tags=["a", "b c"], min_disk=3, min_ram=64, os_distro="debian", **{".os.type": "linux"}
    )
    seen: list[tuple[int, int | None]] = []

    copied = transfer.copy(direct, image, there, progress=lambda *at: seen.append(at))

    assert copied.image_status == "active"
    assert copied.os_hash_value == image.os_hash_value
    assert (copied.name, sorted(copied.tags), copied.min_disk, copied.min_ram) == ("original", ["a", "b c"], 3, 64)
    assert (copied["os_distro"], copied[".os.type"], copied.disk_format) == ("debian", "linux", "raw")
    is_right = there.download_image(copied) == DATA
    assert is_right
    assert seen[-1] == (len(DATA), len(DATA))
    assert list(there.members(copied)) == []


def test_copy_with_members_and_changes(direct: Proxy, there: Proxy, new_image: NewImage) -> None:
    """Members come along on request; what is given differs from the original, and None leaves out."""
    image = new_image(DATA[:1000], name="original", os_distro="debian", visibility="shared")
    direct.create_member(image, member="a" * 32)
    direct.create_member(image, member="b" * 32)

    copied = transfer.copy(direct, image.id or "", there, members=True, name="copy", os_distro=None)

    assert {member.member_id for member in there.members(copied)} == {"a" * 32, "b" * 32}
    assert (copied.name, "os_distro" in copied.properties) == ("copy", False)


def test_copy_over_bad_networks(
    service: ImageService, behind: Proxy, link: FaultyProxy, there: Proxy, new_image: NewImage
) -> None:
    """Breaks on either side are got over."""
    image = new_image(DATA)
    with FaultyProxy(service.url) as other:
        beyond = service.connect("jp2", endpoint_overrides={"image": f"{other.url}/image/jp2"}).image
        link.add(Fault(cut_at=2 * _MIB), Fault(cut_at=_MIB, reset=True))
        other.add(Fault("PUT", cut_request_at=3 * _MIB))

        copied = transfer.copy(behind, image, beyond)

    is_right = there.download_image(copied) == DATA
    assert is_right


@pytest.mark.parametrize("size", [len(DATA), 1000])
def test_damaged_source(
    behind: Proxy, link: FaultyProxy, there: Proxy, new_image: NewImage, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that is damaged on its way from the source never becomes active, and the copy is taken back."""
    from ecl.image.v2.image import Image

    image = new_image(DATA[:size])
    link.add(Fault(flip_at=size - 1, times=None))
    statuses: list[str | None] = []
    get = Image.get
    monkeypatch.setattr(
        Image,
        "get",
        lambda self, *args, **more: (got := get(self, *args, **more), statuses.append(got.image_status))[0],
    )

    with pytest.raises(exceptions.DigestMismatch):
        transfer.copy(behind, image, there)

    assert list(there.images()) == []
    # The original's, and then the copy's.
    assert statuses[0] == "active"
    assert "active" not in statuses[1:]
    assert left_threads() == []


@pytest.mark.parametrize("what", ["data", "member"])
def test_failure_takes_the_copy_back(
    service: ImageService, direct: Proxy, there: Proxy, new_image: NewImage, what: str
) -> None:
    """Whatever fails at the destination, no copy stays there."""
    image = new_image(DATA, visibility="shared")
    direct.create_member(image, member="a" * 32)
    with FaultyProxy(service.url) as other:
        beyond = service.connect("jp2", endpoint_overrides={"image": f"{other.url}/image/jp2"}).image
        if what == "data":
            other.add(Fault("PUT", answer=413))
        else:
            other.add(Fault("POST", path="/members", answer=403))

        with pytest.raises((exceptions.TooLargeException, exceptions.ForbiddenException)):
            transfer.copy(direct, image, beyond, members=True)

    assert list(there.images()) == []


def test_source_that_is_not_active(direct: Proxy, there: Proxy, new_image: NewImage) -> None:
    """An image without data is not copied, and makes nothing."""
    with pytest.raises(exceptions.InvalidRequest, match="queued"):
        transfer.copy(direct, new_image(), there)
    with pytest.raises(exceptions.ResourceNotFound):
        transfer.copy(direct, "00000000-0000-0000-0000-000000000000", there)

    assert list(there.images()) == []
