"""The SDK's ECL calls against the embedded service: copies between regions, and licence types."""

from __future__ import annotations

import inspect
import random
import time
import uuid

import pytest
from clouds import EmbeddedCloud, NewImage

from ecl import exceptions
from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.image.v2.image_copy import ImageCopy
from ecl.image.v2.license import License
from ecl.profile import Profile

DATA = random.Random(4).randbytes(5_000_001)
FINAL = {"replicated", "canceled", "error"}


@pytest.fixture
def cloud(embedded: EmbeddedCloud) -> EmbeddedCloud:
    """Only our own service has what this module tests."""
    return embedded


@pytest.mark.parametrize("interface", ["public", "internal", "admin"])
def test_interface(embedded: EmbeddedCloud, new_image: NewImage, interface: str) -> None:
    """The embedded service is found in the catalog under every interface that a configuration may name."""
    login = embedded.login("member")
    profile = Profile()
    profile.set_interface(profile.ALL, interface)
    image = new_image(name="found by any interface")

    with Connection(profile=profile, region_name=login["region_name"], **login["auth"]) as connection:
        assert connection.image.get_image(image.id).id == image.id


@pytest.fixture
def far(embedded: EmbeddedCloud) -> str:
    """The ID of the member's project in the other region."""
    return embedded.project_id("far")


@pytest.fixture
def active(new_image: NewImage) -> Image:
    """An image with bytes, properties and a tag."""
    return new_image(name=f"copied {uuid.uuid4()}", data=DATA, disk_format="raw", os_distro="debian", tags=["a"])


def ended(proxy: Proxy, job_id: str) -> ImageCopy:
    """Return a job when it has come to its end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job = proxy.get_image_copy_job(job_id)
        if job.status in FINAL:
            return job
        time.sleep(0.05)
    pytest.fail(f"job {job_id} is still {job.status} after 30 s")


# --- copies -------------------------------------------------------------------------------------------------


def test_copy_image(embedded: EmbeddedCloud, proxy: Proxy, active: Image, far: str) -> None:
    """A copy ends as an image in the other region, of the tenant that was named, with the same bytes."""
    started = proxy.copy_image(active.id, far)

    assert isinstance(started, ImageCopy)
    assert uuid.UUID(started.job_id)
    job = ended(proxy, started.job_id)
    assert (job.status, job.copy_progress) == ("replicated", 100)
    assert (job.source_image_id, job.source_image_name) == (active.id, active.name)
    assert (job.source_region_id, job.destination_region_id) == ("jp1", "jp2")
    assert (job.source_tenant_id, job.destination_tenant_id) == (embedded.project_id("member"), far)

    there = embedded.connect("far")
    copy = there.get_image(job.destination_image_id)
    assert (copy.name, copy.image_status, copy.size, copy.owner) == (active.name, "active", len(DATA), far)
    assert (copy.disk_format, copy["os_distro"]) == ("raw", "debian")
    assert copy["os_hash_value"] == active["os_hash_value"]
    assert there.download_image(copy.id) == DATA
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.get_image(copy.id)
    there.delete_image(copy.id)


def test_list_image_copy_jobs(embedded: EmbeddedCloud, proxy: Proxy, active: Image, far: str) -> None:
    """list_image_copy_jobs() is a generator of the project's own jobs."""
    job_id = proxy.copy_image(active, far).job_id

    jobs = proxy.list_image_copy_jobs()

    assert inspect.isgenerator(jobs)
    listed = list(jobs)
    assert all(isinstance(job, ImageCopy) for job in listed)
    assert job_id in [job.job_id for job in listed]
    assert job_id not in [job.job_id for job in embedded.connect("other").list_image_copy_jobs()]
    embedded.connect("far").delete_image(ended(proxy, job_id).destination_image_id)


def test_cancel_copy_image_too_late(embedded: EmbeddedCloud, proxy: Proxy, active: Image, far: str) -> None:
    """A job at its end cannot be cancelled; its image stays."""
    job = ended(proxy, proxy.copy_image(active.id, far).job_id)

    with pytest.raises(exceptions.ConflictException):
        proxy.cancel_copy_image(job.job_id)

    there = embedded.connect("far")
    assert there.get_image(job.destination_image_id).image_status == "active"
    there.delete_image(job.destination_image_id)


def test_cancel_copy_image(embedded: EmbeddedCloud, proxy: Proxy, new_image: NewImage, far: str) -> None:
    """A job that is cancelled ends so, whenever that was, and leaves no image in the other region."""
    name = f"cancelled {uuid.uuid4()}"
    image = new_image(name=name, data=DATA * 8, disk_format="raw")

    job_id = proxy.copy_image(image.id, far).job_id
    proxy.cancel_copy_image(job_id)

    assert ended(proxy, job_id).status == "canceled"
    assert list(embedded.connect("far").images(name=name)) == []


def test_copy_image_that_is_missing(proxy: Proxy, far: str) -> None:
    """A missing image cannot be copied; the error names it."""
    missing = str(uuid.uuid4())

    with pytest.raises(exceptions.NotFoundException, match=missing):
        proxy.copy_image(missing, far)


def test_copy_image_to_an_unknown_tenant(proxy: Proxy, active: Image) -> None:
    """A tenant that does not exist is a 404 that names it."""
    with pytest.raises(exceptions.NotFoundException, match="0" * 32):
        proxy.copy_image(active.id, "0" * 32)


def test_copy_image_without_bytes(proxy: Proxy, new_image: NewImage, far: str) -> None:
    """Only an active image can be copied."""
    with pytest.raises(exceptions.ConflictException):
        proxy.copy_image(new_image().id, far)


def test_copy_job_that_is_missing(proxy: Proxy) -> None:
    """A job that does not exist can be neither shown nor cancelled."""
    missing = str(uuid.uuid4())

    with pytest.raises(exceptions.NotFoundException, match=missing):
        proxy.get_image_copy_job(missing)
    with pytest.raises(exceptions.NotFoundException, match=missing):
        proxy.cancel_copy_image(missing)


# --- licence types ------------------------------------------------------------------------------------------


def test_licenses(embedded: EmbeddedCloud, proxy: Proxy) -> None:
    """licenses() is a generator of one License, which has the region's list."""
    licenses = proxy.licenses()

    assert inspect.isgenerator(licenses)
    listed = list(licenses)
    assert [type(entry) for entry in listed] == [License]
    assert listed[0].license_switch_types == embedded.license_types
    assert [entry.license_switch_types for entry in embedded.connect("far").licenses()] == [[]]


def test_license_switch(embedded: EmbeddedCloud, proxy: Proxy, new_image: NewImage) -> None:
    """An image may have one of the region's licence types, and no other."""
    wanted = embedded.license_types[0]

    assert new_image(license_switch=wanted)["license_switch"] == wanted
    with pytest.raises(exceptions.BadRequestException, match="nonsense"):
        proxy.create_image(license_switch="nonsense")


def test_copy_image_with_a_license(embedded: EmbeddedCloud, proxy: Proxy, new_image: NewImage, far: str) -> None:
    """An image with a licence type cannot go where that type is not known; the error names it."""
    licence = embedded.license_types[0]
    image = new_image(data=DATA, disk_format="raw", license_switch=licence)

    with pytest.raises(exceptions.NotFoundException, match=licence):
        proxy.copy_image(image.id, far)
