"""A region may be another process: copies go there over HTTP, as a user of its Keystone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.testing import ImageService

DATA = os.urandom(1 << 20)


@pytest.fixture(scope="module")
def far() -> Iterator[ImageService]:
    """The process that serves us1."""
    with ImageService(("us1",)) as service:
        yield service


@pytest.fixture(scope="module")
def near(far: ImageService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageService]:
    """The process that serves jp1, and knows us1 by its address."""
    admin = far.credentials(user="admin")
    password = tmp_path_factory.mktemp("secret") / "password"
    password.write_text(admin["password"] + "\n")
    remote = {
        "name": "us1",
        "url": f"{far.url}/image/us1",
        "auth_url": far.auth_url,
        "username": admin["username"],
        "password_file": str(password),
        "project_name": _project_name(far),
    }
    # The users of the other process are not known here.
    with ImageService(("jp1", remote), replicator_trust=[{"sources": ["*"], "destinations": ["*"]}]) as service:
        yield service


def _project_name(far: ImageService) -> str:
    import yaml

    clouds = yaml.safe_load(Path(far.clouds_yaml).read_text())["clouds"]
    identifier = clouds["admin"]["auth"]["project_id"]
    projects = far.connect(user="admin").session.get(f"{far.auth_url}/auth/projects").json()["projects"]
    return str(next(each["name"] for each in projects if each["id"] == identifier))


def test_copy_to_another_process(near: ImageService, far: ImageService) -> None:
    """An image arrives at a tenant of the other process's region, with its bytes and properties."""
    here, there = near.connect("jp1").image, far.connect("us1").image
    image = here.create_image(name="far", data=DATA, os_distro="debian")

    done = here.wait_for_image_copy(
        here.copy_image(image.id or "", far.credentials("us1")["project_id"]), interval=0.05
    )

    copy = there.get_image(done.destination_image_id or "")
    assert (copy.name, copy["os_distro"], copy.owner) == ("far", "debian", far.credentials("us1")["project_id"])
    assert there.download_image(copy) == DATA
    assert done.destination_region_id == "us1"


def test_unknown_tenant_of_another_process(near: ImageService) -> None:
    """A tenant that neither process has is 404."""
    here = near.connect("jp1").image
    image = here.create_image(name="lost", data=DATA)

    with pytest.raises(exceptions.NotFoundException, match="tenant"):
        here.copy_image(image.id or "", "f" * 32)


def test_other_process_is_down(near: ImageService, far: ImageService) -> None:
    """While the other process does not answer, a copy to one of its tenants is 409."""
    here = near.connect("jp1").image
    image = here.create_image(name="later", data=DATA)
    tenant = far.credentials("us1")["project_id"]
    far.stop()
    try:
        with pytest.raises(exceptions.ConflictException, match="us1"):
            here.copy_image(image.id or "", tenant)
    finally:
        far.start()
