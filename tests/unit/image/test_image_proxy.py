"""The image service's methods: the request that leaves, and the object that comes back."""

from __future__ import annotations

from types import GeneratorType

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image, json_patch
from ecl.image.v2.image_copy import ImageCopy
from ecl.image.v2.license import License
from ecl.image.v2.member import Member
from ecl.image.v2.schema import Scheme
from support.http_stub import Answer

WIRE = {
    "os_distro": "debian",
    ".os.type": "linux",
    ".service.type": "virtual-server",
    "first": "a property",
    "extra_key": "k",
    "id": "abc",
    "name": "debian 13",
    "status": "active",
    "tags": ["a"],
    "size": 3,
    "self": "/v2/images/abc",
    "schema": "/v2/schemas/image",
    "direct_url": "file:///x",
}


def on_image(stub, method="GET", content=WIRE, path="/v2/images/abc"):
    """Script an answer for the image."""
    stub.on(method, path, Answer.json(content))


# --- images -----------------------------------------------------------------------------------------------


def test_get_image(proxy, stub):
    """An image has everything that the cloud sent, under the documented names and its own."""
    on_image(stub)
    image = proxy.get_image("abc")

    assert type(image) is Image
    assert (image.id, image.image_status, image.status, image.size) == ("abc", "active", "active", 3)
    assert (image.os_type, image.service_type) == ("linux", "virtual-server")
    assert (image.self, image.image_schema, image.direct_url) == ("/v2/images/abc", "/v2/schemas/image", "file:///x")
    assert image.properties == {
        "os_distro": "debian",
        ".os.type": "linux",
        ".service.type": "virtual-server",
        "first": "a property",
        "extra_key": "k",
    }
    assert dict(image) == WIRE
    assert image["os_distro"] == "debian"


def test_get_image_leaves_the_given_one_alone(proxy, stub):
    """get_image() returns a new object, and changes nothing of the one that it was given."""
    on_image(stub)
    given = Image.existing(id="abc", name="old")

    assert proxy.get_image(given).name == "debian 13"
    assert given.name == "old"


def test_image_not_found(proxy, stub):
    """An image that is not there is ResourceNotFound, in every method that asks for one by ID."""
    calls = {
        ("GET", "/v2/images/abc"): lambda: proxy.get_image("abc"),
        ("PATCH", "/v2/images/abc"): lambda: proxy.update_image("abc", []),
        ("DELETE", "/v2/images/abc"): lambda: proxy.delete_image("abc", ignore_missing=False),
        ("PUT", "/v2/images/abc/tags/t"): lambda: proxy.add_tag("abc", "t"),
        ("DELETE", "/v2/images/abc/tags/t"): lambda: proxy.delete_tag("abc", "t"),
        ("POST", "/v2/images/abc/members"): lambda: proxy.create_member("abc", member="m"),
    }
    for (method, path), call in calls.items():
        stub.on(method, path, Answer(404, b"gone"))
        with pytest.raises(exceptions.ResourceNotFound, match="No Image found for abc"):
            call()
    for call in (lambda: proxy.upload_image("abc", b""), lambda: proxy.download_image("abc")):
        with pytest.raises(exceptions.ResourceNotFound, match="No Image found for abc"):
            call()


def test_create_image(proxy, stub):
    """create_image() sends all that it is given, and returns the image as the service made it."""
    stub.on("POST", "/v2/images", Answer.json(WIRE, 201, Location="http://there/v2/images/abc"))
    image = proxy.create_image(
        name="debian 13", os_distro="debian", min_disk=2, tags=["a"], os_type="linux",
        properties={"arch": "x86"}, **{".is_license": "False"},
    )  # fmt: skip

    assert stub.last.json == {
        "name": "debian 13", "os_distro": "debian", "min_disk": 2, "tags": ["a"], ".os.type": "linux",
        ".is_license": "False", "arch": "x86",
    }  # fmt: skip
    assert dict(image) == WIRE
    assert image.location == "http://there/v2/images/abc"


def test_create_bare_image(proxy, stub):
    """An image needs nothing."""
    stub.on("POST", "/v2/images", Answer.json(WIRE, 201))
    proxy.create_image()

    assert stub.last.body == b"{}"


def test_create_image_conflict(proxy, stub):
    """An ID that was in use is a ConflictException."""
    stub.on("POST", "/v2/images", Answer.json({"message": "ID in use"}, 409))
    with pytest.raises(exceptions.ConflictException, match="ID in use"):
        proxy.create_image(id="abc")


def test_text_named_properties_is_a_property(proxy, stub):
    """A text under "properties" is a property like any other."""
    stub.on("POST", "/v2/images", Answer.json(WIRE, 201))
    proxy.create_image(properties="text")

    assert stub.last.json == {"properties": "text"}


def test_delete_image(proxy, stub):
    """delete_image() takes an ID or an image; one that is not there counts as deleted, unless told otherwise."""
    stub.on("DELETE", "/v2/images/abc", Answer(204), Answer(204), Answer(404))

    assert proxy.delete_image("abc") is None
    assert proxy.delete_image(Image.existing(id="abc")) is None
    assert proxy.delete_image("abc") is None
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.delete_image("abc", False)


def test_delete_protected_image(proxy, stub):
    """What may not be deleted is an error in any case."""
    stub.on("DELETE", "/v2/images/abc", Answer.json({"message": "protected"}, 403))
    with pytest.raises(exceptions.ForbiddenException, match="protected"):
        proxy.delete_image("abc")


# --- updates ----------------------------------------------------------------------------------------------

PATCH = "application/openstack-images-v2.1-json-patch"


def test_update_by_operations(proxy, stub):
    """update_image() sends a list of operations as it is."""
    on_image(stub, "PATCH")
    operations = [{"op": "replace", "path": "/name", "value": "n"}, {"op": "remove", "path": "/x"}]
    image = proxy.update_image(Image.existing(id="abc"), operations)

    assert stub.last.json == operations
    assert stub.last.headers["content-type"] == PATCH
    assert dict(image) == WIRE


def test_update_by_attributes(proxy, stub):
    """update_image() makes operations of a mapping, whose names are those on the wire."""
    on_image(stub, "PATCH")
    proxy.update_image("abc", {"name": "n", "os_type": "linux", "os_distro": None})

    assert stub.last.json == [
        {"op": "replace", "path": "/name", "value": "n"},
        {"op": "add", "path": "/os_type", "value": "linux"},
        {"op": "remove", "path": "/os_distro"},
    ]


def test_update_of_an_instance(conn, stub):
    """An image that was changed sends its changes; what the service no longer has is gone then."""
    on_image(stub, "PATCH", {"id": "abc", "name": "n"})
    image = Image.existing(**WIRE)
    image.name = "n"
    image.tags = ["b"]
    del image.os_type
    image.update(conn.session)

    assert stub.last.json == [
        {"op": "replace", "path": "/name", "value": "n"},
        {"op": "replace", "path": "/tags", "value": ["b"]},
        {"op": "remove", "path": "/.os.type"},
    ]
    assert dict(image) == {"id": "abc", "name": "n"}


@pytest.mark.parametrize(
    ("changes", "operations"),
    [
        ({}, []),
        ({"name": None}, [{"op": "replace", "path": "/name", "value": None}]),
        ({"status": "x", "image_status": "y"}, [
            {"op": "replace", "path": "/status", "value": "x"}, {"op": "add", "path": "/image_status", "value": "y"},
        ]),
        ({"a/b~c": "1"}, [{"op": "add", "path": "/a~1b~0c", "value": "1"}]),
        ({"~1": "1"}, [{"op": "add", "path": "/~01", "value": "1"}]),
        ({".is_license": "x"}, [{"op": "add", "path": "/.is_license", "value": "x"}]),
        ({"properties": {"a": "1", "b": None}}, [
            {"op": "add", "path": "/a", "value": "1"}, {"op": "remove", "path": "/b"},
        ]),
        ({"owner": "t"}, [{"op": "replace", "path": "/owner", "value": "t"}]),
        ({"location": "x", "first": "y"}, [
            {"op": "add", "path": "/location", "value": "x"}, {"op": "add", "path": "/first", "value": "y"},
        ]),
    ],
)  # fmt: skip
def test_json_patch(changes, operations):
    """Attributes of the API are replaced, properties added or removed, and paths escaped."""
    assert json_patch(changes) == operations


# --- members ----------------------------------------------------------------------------------------------

MEMBER = {"member_id": "m", "image_id": "abc", "status": "pending", "schema": "/v2/schemas/member"}


def test_members(proxy, stub):
    """Members are created, read, listed, answered and deleted, by ID or by object."""
    image = Image.existing(id="abc")
    stub.on("POST", "/v2/images/abc/members", Answer.json(MEMBER))
    stub.on("GET", "/v2/images/abc/members", Answer.json({"members": [MEMBER], "schema": "x"}))
    stub.on("GET", "/v2/images/abc/members/m", Answer.json(MEMBER))
    stub.on("PUT", "/v2/images/abc/members/m", Answer.json({**MEMBER, "status": "accepted"}))
    stub.on("DELETE", "/v2/images/abc/members/m", Answer(204))

    member = proxy.create_member(image, member="m")
    assert stub.last.json == {"member": "m"}
    assert (type(member), member.member_id, member.image_id, member.status) == (Member, "m", "abc", "pending")
    assert proxy.get_member(image, member).schema == "/v2/schemas/member"
    assert proxy.get_member("abc", "m").id == "m"
    (listed,) = proxy.members(image)
    assert (listed.member_id, listed.image_id) == ("m", "abc")
    assert proxy.update_member("abc", "m", "accepted").status == "accepted"
    assert proxy.update_member(image, listed, "accepted").image_id == "abc"
    assert stub.last.json == {"status": "accepted"}
    assert proxy.delete_member(image, listed) is None
    assert proxy.create_member("abc", member_id="m").member_id == "m"
    assert stub.last.json == {"member": "m"}


def test_member_not_found(proxy, stub):
    """A project that is no member is ResourceNotFound, or nothing to delete."""
    for method in ("GET", "PUT", "DELETE"):
        stub.on(method, "/v2/images/abc/members/m", Answer(404))

    assert proxy.delete_member("abc", "m") is None
    for call in (
        lambda: proxy.get_member("abc", "m"),
        lambda: proxy.update_member("abc", "m", "accepted"),
        lambda: proxy.delete_member("abc", "m", ignore_missing=False),
    ):
        with pytest.raises(exceptions.ResourceNotFound, match="No Member found for m"):
            call()


# --- tags -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "quoted"),
    [("a", "a"), ("a b", "a%20b"), ("a?b#c", "a%3Fb%23c"), ("100%", "100%25"), ("..a", "..a")],
)
def test_tags(tag, quoted, proxy, stub):
    """A tag is quoted in the URL."""
    stub.on("PUT", f"/v2/images/abc/tags/{quoted}", Answer(204))
    stub.on("DELETE", f"/v2/images/abc/tags/{quoted}", Answer(204))

    assert proxy.add_tag("abc", tag) is None
    assert proxy.add_tag(Image.existing(id="abc"), tag) is None
    assert proxy.delete_tag("abc", tag) is None
    assert proxy.remove_tag(Image.existing(id="abc"), tag) is None
    assert [request.method for request in stub.requests] == ["PUT", "PUT", "DELETE", "DELETE"]
    assert {request.body for request in stub.requests} == {b""}


@pytest.mark.parametrize("tag", ["a/b", "/", ".", "..", "ü", "画像"])
def test_tags_that_no_url_can_hold(tag, proxy, stub):
    """A tag that is a step in a path, or that a Glance misreads, is set and taken off with the whole list."""
    on_image(stub, content={"id": "abc", "tags": ["z", "a"]})
    on_image(stub, "PATCH", {"id": "abc"})
    proxy.add_tag("abc", tag)
    (operation,) = stub.last.json
    assert operation == {"op": "replace", "path": "/tags", "value": sorted(["a", "z", tag])}

    on_image(stub, content={"id": "abc", "tags": ["a", tag]})
    proxy.delete_tag("abc", tag)
    assert stub.last.json == [{"op": "replace", "path": "/tags", "value": ["a"]}]

    on_image(stub, content={"id": "abc", "tags": ["a"]})
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.delete_tag("abc", tag)


# --- ECL --------------------------------------------------------------------------------------------------

JOBS = "/v2/extension/image_replicator/jobs"
JOB = {
    "job_id": "j",
    "source_image_id": "abc",
    "source_image_name": "debian",
    "source_region_id": "jp1",
    "destination_region_id": "jp2",
    "destination_image_id": None,
    "status": "replicating",
    "copy_progress": 40,
}


def test_copy_jobs(proxy, stub):
    """Copy jobs are started, read, listed and canceled."""
    stub.on("POST", JOBS, Answer.json({"job_id": "j"}, 202))
    stub.on("GET", JOBS, Answer.json([JOB]))
    stub.on("GET", f"{JOBS}/j", Answer.json(JOB))
    stub.on("DELETE", f"{JOBS}/j", Answer(204))

    job = proxy.copy_image(Image.existing(id="abc"), "t")
    assert stub.last.json == {"image_id": "abc", "tenant_id_dst": "t"}
    assert (type(job), job.job_id, job.id, job.status) == (ImageCopy, "j", "j", None)
    shown = proxy.get_image_copy_job(job)
    assert (shown.source_image_name, shown.copy_progress, shown.destination_image_id) == ("debian", 40, None)
    assert isinstance(proxy.list_image_copy_jobs(), GeneratorType)
    assert [each.job_id for each in proxy.list_image_copy_jobs()] == ["j"]
    assert proxy.cancel_copy_image("j") is None


def test_copy_job_with_blanks(proxy, stub):
    """Names with a blank, as the API's pages print them, are understood."""
    blanked = {"job_id": "j", "source_image id": "abc", "destination_image id": "d", "destination tenant_id": "t"}
    stub.on("GET", JOBS, Answer.json([blanked]))
    stub.on("GET", f"{JOBS}/j", Answer.json(blanked))

    for job in (proxy.get_image_copy_job("j"), *proxy.list_image_copy_jobs()):
        assert (job.source_image_id, job.destination_image_id, job.destination_tenant_id) == ("abc", "d", "t")


def test_copy_errors(proxy, stub):
    """Refused copies are what the status says, in the service's words."""
    stub.on("POST", JOBS, Answer(404, b"no such tenant"), Answer(409, b"not active"))
    with pytest.raises(exceptions.NotFoundException, match="no such tenant"):
        proxy.copy_image("abc", "t")
    with pytest.raises(exceptions.ConflictException, match="not active"):
        proxy.copy_image("abc", "t")


@pytest.mark.parametrize("content", [{}, [], {"job_id": 5}, "x"])
def test_copy_answer_is_no_job(content, proxy, stub):
    """An answer that is no job is an error."""
    stub.on("POST", JOBS, Answer.json(content, 202))
    with pytest.raises(exceptions.InvalidResponse, match="not a copy job"):
        proxy.copy_image("abc", "t")


def test_licenses(proxy, stub):
    """licenses() yields one object for the answer."""
    stub.on("GET", "/v2/extension/license_switch/types", Answer.json({"license_switch_types": ["a", "b"]}))
    licenses = proxy.licenses()
    assert isinstance(licenses, GeneratorType)
    assert stub.requests == []

    (types,) = licenses
    assert type(types) is License
    assert types.license_switch_types == ["a", "b"]


@pytest.mark.parametrize("content", [{}, [], {"license_switch_types": "a"}])
def test_licenses_answer_is_none(content, proxy, stub):
    """An answer that has no types is an error."""
    stub.on("GET", "/v2/extension/license_switch/types", Answer.json(content))
    with pytest.raises(exceptions.InvalidResponse, match="no license_switch_types"):
        list(proxy.licenses())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get_image_schema", "image"),
        ("get_images_schema", "images"),
        ("get_image_member_schema", "member"),
        ("get_metadata_namespace_schema", "metadefs/namespace"),
        ("get_metadata_object_schema", "metadefs/object"),
        ("get_metadata_property_schema", "metadefs/property"),
        ("get_metadata_resource_type_schema", "metadefs/resource_type"),
    ],
)
def test_schemas(method, path, proxy, stub):
    """Each schema is read from its place."""
    document = {"name": path, "properties": {"a": {}}, "additionalProperties": False, "links": [], "definitions": {}}
    stub.on("GET", f"/v2/schemas/{path}", Answer.json(document))
    schema = getattr(proxy, method)()

    assert type(schema) is Scheme
    assert (schema.name, schema.properties, schema.additionalProperties) == (path, {"a": {}}, False)
    assert dict(schema) == document
