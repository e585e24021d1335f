"""``/v2/extension/image_replicator/jobs`` and ``/v2/extension/license_switch/types``, over HTTP."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from sqlalchemy import text

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.testing import ImageService
from support.stored import stored_file

DATA = os.urandom(2 << 20)
WINDOWS = "WindowsServer_2012R2_Standard_64bit_ComLicense"
RED_HAT = "Red_Hat_Enterprise_Linux_6_64bit_BYOL"


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """Two regions that differ in licences, templates and formats."""
    regions = [
        {"name": "jp1", "license_switch_types": [WINDOWS, RED_HAT]},
        {
            "name": "jp2",
            "license_switch_types": [WINDOWS],
            "official_image_templates": ["CentOS-7.1-1503_64_virtual-server_12"],
            "disk_formats": ["raw", "qcow2"],
        },
    ]
    with ImageService(regions) as service:
        yield service


@pytest.fixture(scope="module")
def here(service: ImageService) -> Proxy:
    """The image service of jp1, as a member."""
    return service.connect("jp1").image


@pytest.fixture(scope="module")
def there(service: ImageService) -> Proxy:
    """The image service of jp2, as a member."""
    return service.connect("jp2").image


@pytest.fixture(scope="module")
def tenant(service: ImageService) -> str:
    """The project that copies go to."""
    return service.credentials("jp2")["project_id"]


@pytest.fixture
def image(here: Proxy) -> Iterator[Image]:
    """An active image of jp1."""
    image = here.create_image(name="source", data=DATA, os_distro="debian", tags=["one"], min_disk=3)
    yield image
    here.delete_image(image)


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_copy(here: Proxy, there: Proxy, image: Image, tenant: str, service: ImageService) -> None:
    """A copy arrives with bytes, hashes, attributes, tags and properties, owned by the tenant."""
    seen: list[int] = []

    done = here.wait_for_image_copy(here.copy_image(image.id or "", tenant), progress=seen.append, interval=0.05)

    assert (done.status, done.copy_progress) == ("replicated", 100)
    assert (done.source_image_id, done.source_image_name, done.source_region_id) == (image.id, "source", "jp1")
    assert done.source_tenant_id == service.credentials("jp1")["project_id"]
    assert (done.destination_region_id, done.destination_tenant_id) == ("jp2", tenant)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    copy = there.get_image(done.destination_image_id or "")
    assert (copy.name, copy.owner, copy.min_disk, copy.tags, copy["os_distro"]) == (
        "source",
        tenant,
        3,
        ["one"],
        "debian",
    )
    assert copy.os_hash_value == image.os_hash_value
    assert there.download_image(copy) == DATA
    there.delete_image(copy)


def test_copy_takes_properties_of_any_name(here: Proxy, there: Proxy, tenant: str) -> None:
    """A property arrives under its name, also where that means something to Python or to the service."""
    properties = dict.fromkeys(("os_type", "service_type", "first", "images_schema", "data", "cls", "properties"), "1")
    image = here.create_image(data=b"disk", disk_format="raw", properties=properties)

    done = here.wait_for_image_copy(here.copy_image(image.id or "", tenant), interval=0.05)

    copy = there.get_image(done.destination_image_id or "")
    assert copy.properties == properties
    there.delete_image(copy)
    here.delete_image(image)


def test_answer_of_start(service: ImageService, image: Image, tenant: str, there: Proxy, here: Proxy) -> None:
    """Starting is answered by 202 and nothing but the job's ID."""
    session = service.connect("jp1").session
    answer = session.post(
        f"{service.url}/image/jp1/v2/extension/image_replicator/jobs",
        json={"image_id": image.id, "tenant_id_dst": tenant},
    )

    assert answer.status_code == 202
    assert list(answer.json()) == ["job_id"]
    done = here.wait_for_image_copy(answer.json()["job_id"], interval=0.05)
    there.delete_image(done.destination_image_id or "")


def test_list_is_a_bare_array_of_ones_own_jobs(
    service: ImageService, image: Image, tenant: str, here: Proxy, there: Proxy
) -> None:
    """The list has no wrapper; another tenant's has none of these jobs, and cannot see one by its ID."""
    job = here.copy_image(image.id or "", tenant)
    done = here.wait_for_image_copy(job, interval=0.05)
    answer = service.connect("jp1").session.get(f"{service.url}/image/jp1/v2/extension/image_replicator/jobs").json()

    assert isinstance(answer, list)
    assert job.job_id in [each["job_id"] for each in answer]
    other = service.connect(project=service.add_project("jp1")).image
    assert list(other.list_image_copy_jobs()) == []
    with pytest.raises(exceptions.NotFoundException):
        other.get_image_copy_job(job.job_id or "")
    with pytest.raises(exceptions.NotFoundException):
        other.cancel_copy_image(job.job_id or "")
    there.delete_image(done.destination_image_id or "")


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"image_id": "x"},
        {"image_id": None, "tenant_id_dst": "x"},
        {"image_id": "", "tenant_id_dst": "x"},
        {"image_id": "x" * 65, "tenant_id_dst": "x"},
        {"image_id": "x", "tenant_id_dst": 3},
    ],
)
def test_start_malformed(service: ImageService, body: object) -> None:
    """A body that is not image and tenant is 400."""
    with pytest.raises(exceptions.BadRequestException):
        service.connect("jp1").session.post(f"{service.url}/image/jp1/v2/extension/image_replicator/jobs", json=body)


def test_start_of_an_unknown_image(here: Proxy, tenant: str) -> None:
    """An image that is not there is 404."""
    with pytest.raises(exceptions.NotFoundException):
        here.copy_image(str(uuid.uuid4()), tenant)


def test_start_of_a_deleted_image(here: Proxy, tenant: str) -> None:
    """An image that has been deleted is 404."""
    image = here.create_image(name="deleted", data=b"x", disk_format="raw")
    here.delete_image(image)

    with pytest.raises(exceptions.NotFoundException):
        here.copy_image(image.id or "", tenant)


def test_start_of_somebody_elses_image(service: ImageService, here: Proxy, image: Image, tenant: str) -> None:
    """An image that the caller does not see is 404."""
    other = service.connect(project=service.add_project("jp1")).image

    with pytest.raises(exceptions.NotFoundException):
        other.copy_image(image.id or "", tenant)


def test_start_with_an_unknown_tenant(here: Proxy, image: Image) -> None:
    """A tenant that no region has is 404, whatever it looks like."""
    for tenant in ("0" * 32, "../../admin", "?"):
        with pytest.raises(exceptions.NotFoundException, match="tenant"):
            here.copy_image(image.id or "", tenant)


def test_start_within_a_region(service: ImageService, here: Proxy, image: Image) -> None:
    """A tenant of the same region is no destination."""
    with pytest.raises(exceptions.NotFoundException, match="tenant"):
        here.copy_image(image.id or "", service.add_project("jp1").id)


def test_start_without_the_licence_there(here: Proxy, tenant: str) -> None:
    """An image with a licence switch type that the destination lacks is 404; one that it has is copied."""
    image = here.create_image(name="rhel", data=b"x" * 512, disk_format="raw", license_switch=RED_HAT)
    try:
        with pytest.raises(exceptions.NotFoundException, match=RED_HAT):
            here.copy_image(image.id or "", tenant)
    finally:
        here.delete_image(image)


def test_start_without_the_template_there(here: Proxy, tenant: str) -> None:
    """An official template of a type that the destination lacks is 404."""
    image = here.create_image(
        name="template", data=b"x" * 512, disk_format="raw", **{".official_image_template": "Other_1"}
    )
    try:
        with pytest.raises(exceptions.NotFoundException, match="Other_1"):
            here.copy_image(image.id or "", tenant)
    finally:
        here.delete_image(image)


def test_start_of_a_queued_image(here: Proxy, tenant: str) -> None:
    """An image that is not active is 409."""
    image = here.create_image(name="queued", disk_format="raw", container_format="bare")
    try:
        with pytest.raises(exceptions.ConflictException, match="queued"):
            here.copy_image(image.id or "", tenant)
    finally:
        here.delete_image(image)


def test_start_of_a_format_that_is_not_taken_there(here: Proxy, tenant: str) -> None:
    """An image of a format that the destination does not support is 409."""
    image = here.create_image(name="kernel", data=b"x" * 512, disk_format="aki", container_format="aki")
    try:
        with pytest.raises(exceptions.ConflictException, match="aki"):
            here.copy_image(image.id or "", tenant)
    finally:
        here.delete_image(image)


JOBS = "/v2/extension/image_replicator/jobs"
#: Every call of the two extensions.
CALLS = [
    ("GET", JOBS),
    ("POST", JOBS),
    ("GET", f"{JOBS}/x"),
    ("DELETE", f"{JOBS}/x"),
    ("GET", "/v2/extension/license_switch/types"),
]


def _plain(method: str, url: str, token: str | None, **options: Any) -> requests.Response:
    """Send a request that does not say which form of answer it takes, as the pages of the API do."""
    headers = {"Accept": None, "X-Auth-Token": token}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, headers=headers, timeout=30, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", [None, "nonsense"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_token(service: ImageService, method: str, path: str, token: str | None) -> None:
    """Every call needs a token: 401, a status line and a sentence of plain text."""
    answer = _plain(method, f"{service.url}/image/jp1{path}", token)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert re.fullmatch(r"401 Unauthorized\n\n.+\.\n", answer.text)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_service_that_fails(method: str, path: str) -> None:
    """A service whose database is damaged answers 500, and says no more than which request that was."""
    with ImageService(["jp1", "jp2"]) as broken:
        token = broken.connect("jp1").session.get_token()
        table = "tokens" if "license" in path else "copy_jobs"
        image = broken.connect("jp1").image.create_image(data=b"x", disk_format="raw")
        with broken.database.write() as connection:
            connection.execute(text(f"DROP TABLE {table}"))

        body = {"image_id": image.id, "tenant_id_dst": broken.credentials("jp2")["project_id"]}
        answer = _plain(method, f"{broken.url}/image/jp1{path}", token, json=body if method == "POST" else None)

        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/plain; charset=UTF-8")
        assert answer.text.startswith("500 Internal Server Error\n\n")
        assert answer.headers["x-openstack-request-id"] in answer.text
        assert table not in answer.text


def test_unknown_job(here: Proxy) -> None:
    """Showing or canceling an unknown job is 404."""
    for call in (here.get_image_copy_job, here.cancel_copy_image):
        with pytest.raises(exceptions.NotFoundException):
            call(str(uuid.uuid4()))


def test_cancel(here: Proxy, there: Proxy, tenant: str) -> None:
    """A canceled job ends as canceled, stays readable, and cannot be canceled again; the half-made image goes."""
    image = here.create_image(name="large", data=DATA * 100)
    job = here.copy_image(image.id or "", tenant)
    _until(lambda: (here.get_image_copy_job(job.job_id or "").copy_progress or 0) > 0)

    here.cancel_copy_image(job.job_id or "")

    _until(lambda: here.get_image_copy_job(job.job_id or "").status == "canceled")
    assert list(there.images()) == []
    with pytest.raises(exceptions.ResourceFailure, match="canceled"):
        here.wait_for_image_copy(job)
    with pytest.raises(exceptions.ConflictException):
        here.cancel_copy_image(job.job_id or "")
    here.delete_image(image)


def test_cancel_at_once(here: Proxy, there: Proxy, image: Image, tenant: str) -> None:
    """A job can be canceled before it has begun."""
    job = here.copy_image(image.id or "", tenant)
    try:
        here.cancel_copy_image(job.job_id or "")
    except exceptions.ConflictException:
        pytest.skip("the copy was faster than the cancel")

    _until(lambda: here.get_image_copy_job(job.job_id or "").status == "canceled")
    assert list(there.images()) == []


def test_cancel_of_a_finished_job(here: Proxy, there: Proxy, image: Image, tenant: str) -> None:
    """A job that has ended cannot be canceled: 409, and its image stays."""
    done = here.wait_for_image_copy(here.copy_image(image.id or "", tenant), interval=0.05)

    with pytest.raises(exceptions.ConflictException):
        here.cancel_copy_image(done.job_id or "")

    assert there.get_image(done.destination_image_id or "").image_status == "active"
    there.delete_image(done.destination_image_id or "")


def test_damaged_source(service: ImageService, here: Proxy, there: Proxy, tenant: str) -> None:
    """A source whose bytes have changed on the disk is not copied: the job ends as error, for good; nothing is left."""
    image = here.create_image(name="rotten", data=DATA)
    file = stored_file(service.database, service.data_dir, str(image.id))
    data = file.read_bytes()
    file.write_bytes(data[: 1 << 20] + b"!" * 16 + data[(1 << 20) + 16 :])
    job = here.copy_image(image.id or "", tenant)

    with pytest.raises(exceptions.ResourceFailure, match="error"):
        here.wait_for_image_copy(job, interval=0.05)
    with pytest.raises(exceptions.ConflictException):
        here.cancel_copy_image(job.job_id or "")

    assert list(there.images()) == []
    here.delete_image(image)


def test_license_types(here: Proxy, there: Proxy) -> None:
    """Each region has the licence switch types of its settings."""
    assert [each.license_switch_types for each in here.licenses()] == [[WINDOWS, RED_HAT]]
    assert [each.license_switch_types for each in there.licenses()] == [[WINDOWS]]


def test_license_of_another_region(there: Proxy) -> None:
    """A type that the region does not have is refused at creation, by a sentence that lists those it has."""
    with pytest.raises(exceptions.BadRequestException, match=WINDOWS):
        there.create_image(name="x", license_switch=RED_HAT)


def test_default_visibility(here: Proxy, image: Image) -> None:
    """An image is shared unless somebody says otherwise, as in the cloud today."""
    assert image.visibility == "shared"
