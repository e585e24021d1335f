"""Preferences for services."""

from __future__ import annotations

import copy

import pytest

from ecl import exceptions
from ecl.image.image_service import ImageService
from ecl.profile import Profile
from ecl.service_filter import ServiceFilter, ValidVersion


def test_services():
    """A new profile knows eclsdk's services and prefers nothing."""
    profile = Profile()

    assert {"image", "compute", "network", "identity", "volumev2"} <= set(profile.service_keys)
    assert profile.get_filter("image").get_filter() == {"service_type": "image"}
    assert {service.interface for service in profile.get_services()} == {None}
    assert "image" in repr(profile)


@pytest.mark.parametrize(
    ("setter", "attribute"),
    [
        ("set_name", "service_name"),
        ("set_region", "region"),
        ("set_api_version", "api_version"),
        ("set_interface", "interface"),
    ],
)
def test_setters(setter, attribute):
    """A preference is set for one service, or for all."""
    profile = Profile()
    getattr(profile, setter)("image", "x")
    assert getattr(profile.get_filter("image"), attribute) == "x"
    assert getattr(profile.get_filter("compute"), attribute) is None

    getattr(profile, setter)(Profile.ALL, "y")
    assert {getattr(service, attribute) for service in profile.get_services()} == {"y"}


def test_version():
    """A version is set for one service."""
    profile = Profile()
    profile.set_version("image", "v3")

    assert profile.get_filter("image").version == "v3"


def test_filter_is_a_copy():
    """Changing what get_filter() returns changes no preference."""
    profile = Profile()
    profile.get_filter("image").region = "jp1"

    assert profile.get_filter("image").region is None


def test_profiles_are_independent():
    """A profile, and a deep copy of it, share nothing."""
    profile = Profile()
    other = copy.deepcopy(profile)
    other.set_region("image", "jp1")

    assert profile.get_filter("image").region is None
    assert Profile().get_filter("image").region is None
    assert ImageService().interface == "public"


def test_unknown_service():
    """An unknown service is an error that names the known ones."""
    for call in (Profile().get_filter, lambda name: Profile().set_region(name, "x")):
        with pytest.raises(exceptions.SDKException, match=r"no service 'object-store'; known are: .*image"):
            call("object-store")


def test_plugins():
    """Services from plug-ins are refused, not ignored."""
    with pytest.raises(exceptions.InvalidRequest, match="plugins"):
        Profile(plugins=["some.namespace"])
    Profile(plugins=[])


def test_service_filter():
    """A filter is a mapping, and its attributes are the mapping's values."""
    service = ServiceFilter("IMAGE", region="jp1", service_name="glance", version="v2", api_version="2.9")

    assert dict(service) == {
        "service_type": "image", "interface": "public", "region_name": "jp1", "service_name": "glance",
        "version": "v2", "api_version": "2.9", "requires_project_id": False,
    }  # fmt: skip
    service.interface, service.region, service.requires_project_id = ServiceFilter.ADMIN, None, True
    assert (service["interface"], service["region_name"], service["requires_project_id"]) == ("admin", None, True)
    assert service.get_filter() == {"service_type": "image", "interface": "admin", "service_name": "glance"}


def test_paths_and_modules():
    """A filter knows the path of its version and the package that speaks it."""
    assert ImageService().get_path() == "v2"
    assert ImageService("v2.7").get_path() == "v2"
    assert ImageService().get_module() == "ecl.image.v2"
    assert ImageService().get_service_module() == "image"
    assert ServiceFilter("x").get_path("v1") == ""
    assert ValidVersion("v1").path == "v1"
    assert ValidVersion("v1", "v1.0").path == "v1.0"
