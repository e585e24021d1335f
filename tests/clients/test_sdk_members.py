"""Sharing images by the SDK, against the embedded service and a real Glance alike."""

from __future__ import annotations

import inspect
import uuid

import pytest
from clouds import Cloud, NewImage

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.image.v2.member import Member


@pytest.fixture
def image(new_image: NewImage) -> Image:
    """An image of the member's project, not shared with anybody yet."""
    return new_image(name=f"shared {uuid.uuid4()}")


@pytest.fixture
def guest(cloud: Cloud) -> str:
    """The ID of the other project."""
    return cloud.project_id("other")


def test_create_member(proxy: Proxy, image: Image, guest: str) -> None:
    """create_member() invites a project; it is pending until that project answers."""
    member = proxy.create_member(image, member=guest)

    assert isinstance(member, Member)
    assert (member.member_id, member.image_id, member.status) == (guest, image.id, "pending")
    assert member.created_at.endswith("Z")
    assert member.updated_at.endswith("Z")
    assert member.schema == "/v2/schemas/member"


def test_members_is_a_generator(proxy: Proxy, image: Image, guest: str) -> None:
    """members() is a generator of Member objects; of none, where an image is shared with nobody."""
    assert list(proxy.members(image)) == []
    proxy.create_member(image.id, member=guest)
    proxy.create_member(image.id, member="c" * 32)

    members = proxy.members(image.id)

    assert inspect.isgenerator(members)
    listed = list(members)
    assert all(isinstance(member, Member) for member in listed)
    assert {member.member_id for member in listed} == {guest, "c" * 32}
    assert {member.image_id for member in listed} == {image.id}


def test_get_member(proxy: Proxy, image: Image, guest: str) -> None:
    """get_member() takes IDs or objects."""
    created = proxy.create_member(image, member=guest)

    for member in (proxy.get_member(image.id, guest), proxy.get_member(image, created)):
        assert (member.member_id, member.image_id, member.status) == (guest, image.id, "pending")


def test_get_member_missing(proxy: Proxy, image: Image, guest: str) -> None:
    """A project that was not invited is ResourceNotFound."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.get_member(image, guest)


def test_accepting_lists_the_image(cloud: Cloud, proxy: Proxy, image: Image, guest: str) -> None:
    """An invited project sees the image at once, and lists it when it has accepted."""
    other = cloud.connect("other")
    proxy.create_member(image, member=guest)

    def listed(**query: str) -> list[str]:
        return [found.id for found in other.images(name=image.name, **query)]

    assert other.get_image(image.id).id == image.id
    assert listed() == []
    assert listed(visibility="shared", member_status="pending") == [image.id]

    member = other.update_member(image.id, guest, "accepted")

    assert isinstance(member, Member)
    assert (member.member_id, member.image_id, member.status) == (guest, image.id, "accepted")
    assert listed() == [image.id]
    assert proxy.get_member(image, guest).status == "accepted"
    found = other.find_image(image.name)
    assert found is not None
    assert found.id == image.id


def test_rejecting_takes_the_image_off_the_list(cloud: Cloud, proxy: Proxy, image: Image, guest: str) -> None:
    """An answer may change; a rejected image is not listed."""
    other = cloud.connect("other")
    proxy.create_member(image, member=guest)
    other.update_member(image.id, guest, "accepted")
    other.update_member(image, guest, "rejected")

    assert list(other.images(name=image.name)) == []
    assert proxy.get_member(image, guest).status == "rejected"


def test_members_as_the_guest_sees_them(cloud: Cloud, proxy: Proxy, image: Image, guest: str) -> None:
    """An invited project sees its own membership only."""
    proxy.create_member(image, member=guest)
    proxy.create_member(image, member="c" * 32)

    assert [member.member_id for member in cloud.connect("other").members(image.id)] == [guest]


def test_who_may_answer(cloud: Cloud, proxy: Proxy, image: Image, guest: str) -> None:
    """The owner cannot accept for the guest, nor the guest invite others."""
    proxy.create_member(image, member=guest)

    with pytest.raises(exceptions.ForbiddenException):
        proxy.update_member(image.id, guest, "accepted")
    with pytest.raises(exceptions.ForbiddenException):
        cloud.connect("other").create_member(image.id, member="c" * 32)


def test_update_member_with_a_bad_status(cloud: Cloud, proxy: Proxy, image: Image, guest: str) -> None:
    """Only pending, accepted and rejected are answers."""
    proxy.create_member(image, member=guest)

    with pytest.raises((exceptions.BadRequestException, exceptions.InvalidRequest)):
        cloud.connect("other").update_member(image.id, guest, "maybe")


def test_create_member_twice(proxy: Proxy, image: Image, guest: str) -> None:
    """A project can be invited once."""
    proxy.create_member(image, member=guest)

    with pytest.raises(exceptions.ConflictException):
        proxy.create_member(image, member=guest)


def test_create_member_of_a_private_image(proxy: Proxy, new_image: NewImage, guest: str) -> None:
    """Only a shared image has members."""
    image = new_image(visibility="private")

    with pytest.raises(exceptions.ForbiddenException):
        proxy.create_member(image, member=guest)


def test_create_member_of_a_missing_image(proxy: Proxy, guest: str) -> None:
    """Sharing a missing image is ResourceNotFound."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.create_member(str(uuid.uuid4()), member=guest)


@pytest.mark.parametrize("as_objects", [False, True])
def test_delete_member(cloud: Cloud, proxy: Proxy, image: Image, guest: str, as_objects: bool) -> None:
    """delete_member() ends the sharing: the image is gone for the guest."""
    member = proxy.create_member(image, member=guest)

    assert proxy.delete_member(image if as_objects else image.id, member if as_objects else guest) is None

    assert list(proxy.members(image)) == []
    with pytest.raises(exceptions.ResourceNotFound):
        cloud.connect("other").get_image(image.id)


def test_delete_member_missing(proxy: Proxy, image: Image, guest: str) -> None:
    """Ending a sharing that never was is no error, unless asked for."""
    assert proxy.delete_member(image, guest) is None
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.delete_member(image, guest, ignore_missing=False)
