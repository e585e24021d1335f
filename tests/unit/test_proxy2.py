"""The verbs that proxies share, and that proxies of users' own build on."""

from __future__ import annotations

import pytest

from ecl import exceptions, resource2
from ecl._resource.missing import naming
from ecl.image.image_service import ImageService
from ecl.image.v2.image import Image
from ecl.proxy2 import BaseProxy
from support.http_stub import Answer

PATH = "/v2/projects/p/servers"


class Server(resource2.Resource):
    """A resource with every operation."""

    resource_key = "server"
    resources_key = "servers"
    base_path = "/v2/projects/%(project_id)s/servers"
    service = ImageService()
    allow_create = allow_get = allow_update = allow_delete = allow_list = allow_head = True

    cores = resource2.Body[int]("vcpus", type=int)
    project_id = resource2.URI[str]("project_id")


@pytest.fixture
def base(conn):
    """A proxy with nothing of its own."""
    return BaseProxy(conn.session)


def server():
    """Return a server that the service has."""
    return Server.existing(project_id="p", id="s")


def test_verbs(base, stub):
    """Resources are created, read, updated, deleted, listed and found by class and ID, or as objects."""
    stub.on("POST", PATH, Answer.json({"server": {"id": "s"}}))
    stub.on("GET", PATH, Answer.json({"servers": [{"id": "s"}]}))
    stub.on("GET", f"{PATH}/s", Answer.json({"server": {"id": "s", "name": "n"}}))
    stub.on("PUT", f"{PATH}/s", Answer.json({"server": {"name": "m"}}))
    stub.on("HEAD", f"{PATH}/s", Answer(200))
    stub.on("DELETE", f"{PATH}/s", Answer(204))

    assert base._create(Server, project_id="p", cores=1).id == "s"
    assert base._get(Server, "s", project_id="p").name == "n"
    assert base._get(Server, server()).name == "n"
    assert base._update(Server, server(), name="m").name == "m"
    assert base._head(Server, "s", project_id="p").id == "s"
    assert [each.id for each in base._list(Server, project_id="p")] == ["s"]
    assert base._find(Server, "s", project_id="p").id == "s"
    assert base._delete(Server, "s", project_id="p").id == "s"
    assert stub.requests[0].json == {"server": {"vcpus": 1}}


def test_missing(base, stub):
    """What is missing is ResourceNotFound with the service's words, or nothing to delete."""
    stub.on("GET", f"{PATH}/s", Answer.json({"message": "gone"}, 404, x_openstack_request_id="req-1"))
    stub.on("DELETE", f"{PATH}/s", Answer(404))

    assert base._delete(Server, "s", project_id="p", ignore_missing=True) is None
    with pytest.raises(exceptions.ResourceNotFound, match="No Server found for s"):
        base._delete(Server, "s", project_id="p")
    with pytest.raises(exceptions.ResourceNotFound, match="No Server found for s gone") as caught:
        base._get(Server, "s", project_id="p")
    assert (caught.value.request_id, caught.value.http_status) == ("req-1", 404)


def test_notes_of_what_is_missing(base):
    """Notes that were put on a 404 on its way are on what is raised in its place."""
    missing = exceptions.NotFoundException("gone")
    missing.add_note("7 bytes are in disk.part")

    with pytest.raises(exceptions.ResourceNotFound) as caught, naming(Server, "s"):
        raise missing
    assert caught.value.__notes__ == ["7 bytes are in disk.part"]


def test_other_resources(base, stub):
    """A resource of another class is refused by name, as a ValueError, too."""
    for verb in (base._get, base._delete, base._update, base._head):
        with pytest.raises(ValueError, match="Expected Server but received Image"):
            verb(Server, Image(id="i"))

    assert stub.requests == []
