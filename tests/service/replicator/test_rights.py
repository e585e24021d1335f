"""Who may copy an image to whose tenant, when the job is posted and when it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.server.db.copy_jobs import insert_job
from ecl.server.domain.copy_job import REPLICATE_REQUESTED, CopyJob
from ecl.server.identity.local import directory
from ecl.testing import ImageService, TestProject
from support.region_service import poll

DATA = os.urandom(1000)
TRUSTED, TRUSTING = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """Two regions, and a tenant of each that the settings name as a pair."""
    trust = [{"sources": [TRUSTED], "destinations": [TRUSTING]}]
    with ImageService(("jp1", "jp2"), replicator_trust=trust) as running:
        yield running


@pytest.fixture
def owner(service: ImageService) -> TestProject:
    """A project of jp1, with a user of its own."""
    return service.add_project("jp1")


def _image(service: ImageService, owner: TestProject) -> tuple[Proxy, Image]:
    here = service.connect("jp1", project=owner).image
    return here, here.create_image(data=DATA, disk_format="raw", container_format="bare")


def _ends(here: Proxy, job_id: str) -> str:
    """Wait for the end of a job and return its status."""
    poll(lambda: here.get_image_copy_job(job_id).status in ("replicated", "error", "canceled"))
    return str(here.get_image_copy_job(job_id).status)


def _rename(service: ImageService, project: TestProject, id: str) -> None:
    """Give *project* an ID that the settings name."""
    with service.database.write() as connection:
        for statement in (
            "INSERT INTO projects (id, name, region, enabled, created_at) "
            "SELECT :new, name || '-named', region, enabled, created_at FROM projects WHERE id = :old",
            "INSERT INTO role_assignments (user_id, project_id, role) "
            "SELECT user_id, :new, role FROM role_assignments WHERE project_id = :old",
        ):
            connection.execute(text(statement), {"new": id, "old": project.id})


def test_a_strangers_tenant_does_not_exist(service: ImageService, owner: TestProject) -> None:
    """Without a role there, the answer is that for a tenant that is not there, and no image arrives."""
    victim = service.add_project("jp2")
    here, image = _image(service, owner)

    messages = set()
    for tenant in (victim.id, "0" * 32):
        with pytest.raises(exceptions.NotFoundException) as refused:
            here.copy_image(image, tenant)
        messages.add(str(refused.value).partition(" (")[0].replace(tenant, "ID"))
    assert len(messages) == 1
    assert list(service.connect(project=victim).image.images()) == []


@pytest.mark.parametrize(("role", "may"), [("member", True), ("admin", True), ("reader", False), ("service", False)])
def test_the_role_on_the_destination_decides(service: ImageService, owner: TestProject, role: str, may: bool) -> None:
    """Who may create images there may copy there."""
    target = service.add_project("jp2")
    with service.database.write() as connection:
        user, project = directory.find_user(connection, owner.username), directory.find_project(connection, target.id)
        directory.grant_role(connection, user, role, project)
    here, image = _image(service, owner)
    if may:
        assert _ends(here, here.copy_image(image, target.id).job_id or "") == "replicated"
        return
    with pytest.raises(exceptions.NotFoundException):
        here.copy_image(image, target.id)


def test_an_administrator_copies_to_every_tenant(service: ImageService) -> None:
    """The role admin needs no other one."""
    target = service.add_project("jp2")
    here = service.connect("jp1", user="admin").image
    image = here.create_image(data=DATA, disk_format="raw", container_format="bare")

    assert _ends(here, here.copy_image(image, target.id).job_id or "") == "replicated"


def test_a_pair_in_the_settings(service: ImageService, owner: TestProject) -> None:
    """Members of the one tenant may copy to the other, not the other way round, and to no third one."""
    third = service.add_project("jp2")
    trusting = service.add_project("jp2")
    _rename(service, owner, TRUSTED)
    _rename(service, trusting, TRUSTING)
    source = TestProject(TRUSTED, "trusted", "jp1", owner.username, owner.password)
    here, image = _image(service, source)

    assert _ends(here, here.copy_image(image, TRUSTING).job_id or "") == "replicated"
    with pytest.raises(exceptions.NotFoundException):
        here.copy_image(image, third.id)
    back = service.connect("jp2", project=TestProject(TRUSTING, "t", "jp2", trusting.username, trusting.password))
    copied = next(iter(back.image.images()))
    with pytest.raises(exceptions.NotFoundException):
        back.image.copy_image(copied, TRUSTED)


def _deactivate(service: ImageService, image: Image, owner: TestProject) -> None:
    service.connect("jp1", user="admin").image.deactivate_image(image)


def _revoke(service: ImageService, image: Image, owner: TestProject) -> None:
    with service.database.write() as connection:
        user = directory.find_user(connection, owner.username)
        for project_id, role in directory.list_assignments(connection, user_id=user.id):
            if project_id != owner.id:
                directory.revoke_role(connection, user, role, directory.find_project(connection, project_id))


def _leave(service: ImageService, image: Image, owner: TestProject) -> None:
    with service.database.write() as connection:
        connection.execute(text("DELETE FROM role_assignments WHERE project_id = :own"), {"own": owner.id})


def _give_away(service: ImageService, image: Image, owner: TestProject) -> None:
    with service.database.write() as connection:
        connection.execute(text("UPDATE images SET owner = 'x' WHERE id = :id"), {"id": image.id})


def _nothing(service: ImageService, image: Image, owner: TestProject) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (_nothing, "replicated"),
        (_deactivate, "error"),
        (_revoke, "error"),
        (_leave, "error"),
        (_give_away, "error"),
    ],
)
def test_rights_are_checked_again_when_the_job_runs(
    service: ImageService, owner: TestProject, change: Callable[[ImageService, Image, TestProject], None], end: str
) -> None:
    """A job that was allowed when it was posted ends as an error once it no longer is, and leaves no image."""
    target = service.add_project("jp2", owner.username)
    _, image = _image(service, owner)
    change(service, image, owner)
    job_id = os.urandom(16).hex()
    with service.database.write() as connection:
        user = directory.find_user(connection, owner.username)
        job = CopyJob(
            job_id,
            "jp1",
            owner.id,
            image.id or "",
            None,
            "jp2",
            target.id,
            None,
            REPLICATE_REQUESTED,
            0,
            user_id=user.id,
        )
        insert_job(connection, job)
    admin = service.connect("jp1", user="admin").image
    assert _ends(admin, job_id) == end
    arrived = [one for one in service.connect("jp2", user="admin").image.images() if one.owner == target.id]
    assert len(arrived) == (end == "replicated")
