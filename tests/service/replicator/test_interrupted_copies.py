"""A copy that was interrupted meets what it has left at the destination."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl.testing import ImageService
from support.http_stub import Answer, HttpStub, Request


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    """The image API of us1, as far as a copy needs it."""
    with HttpStub() as running:
        yield running


@pytest.fixture
def far() -> Iterator[ImageService]:
    """The Keystone of us1."""
    with ImageService(("us1",)) as service:
        yield service


@pytest.fixture
def near(far: ImageService, stub: HttpStub, tmp_path: Path) -> Iterator[ImageService]:
    """The process that serves jp1, and copies to us1."""
    admin = far.credentials(user="admin")
    (tmp_path / "password").write_text(admin["password"])
    remote = {
        "name": "us1",
        "url": stub.url,
        "auth_url": far.auth_url,
        "username": admin["username"],
        "password_file": str(tmp_path / "password"),
        "project_name": "admin",
    }
    with ImageService(("jp1", remote), job_retry_delay=0.1) as service:
        yield service


def test_target_that_still_receives_data(near: ImageService, far: ImageService, stub: HttpStub) -> None:
    """While the destination has not noticed that the upload before was cut, the copy waits; it does not fail."""
    statuses = ["saving", "active"]
    ids: list[str] = []

    def exists(request: Request) -> Answer:
        ids.append(request.json["id"])
        stub.on("GET", f"/v2/images/{ids[0]}", show)
        return Answer.json({"message": "The ID is taken."}, 409)

    def show(_request: Request) -> Answer:
        return Answer.json({"id": ids[0], "status": statuses.pop(0), "name": "copied", "tags": []})

    stub.on("POST", "/v2/images", exists)
    proxy = near.connect("jp1", user="admin").image
    image = proxy.create_image(name="copied", data=b"0123456789", disk_format="raw")
    job = proxy.copy_image(image.id or "", far.credentials("us1")["project_id"])

    done = proxy.wait_for_image_copy(job, interval=0.1, wait=60)
    assert (done.status, statuses) == ("replicated", [])
    assert re.search("is tried again in .*still receiving data", near.log)
    assert [request.method for request in stub.requests] == ["POST", "GET"] * 2
