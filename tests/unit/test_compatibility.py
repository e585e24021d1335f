"""Each deliberate difference from eclsdk 1.11 that docs/compatibility.md lists; a test has the name of its section."""

from __future__ import annotations

import datetime
import hashlib
import importlib
import logging
import re
import subprocess
import sys
from collections import abc
from pathlib import Path
from types import GeneratorType

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import exceptions, resource2
from ecl._http import polling, stop
from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.image.v2.image_copy import ImageCopy
from ecl.image.v2.license import License
from ecl.image.v2.member import Member
from ecl.profile import Profile
from ecl.session import LONG_CALL
from support.http_stub import Answer, HttpStub, Keystone, make_certificate

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
DATA = bytes(range(250)) * 40
WIRE = {
    "id": "abc",
    "name": "debian",
    "status": "queued",
    "os_distro": "d",
    "schema": "/v2/schemas/image",
    "self": "/x",
}
HASHED = {
    **WIRE,
    "status": "active",
    "size": len(DATA),
    "os_hash_algo": "sha512",
    "os_hash_value": hashlib.sha512(DATA).hexdigest(),
    "disk_format": "raw",
    "container_format": "bare",
}
QUEUED = {**HASHED, "status": "queued", "size": None, "os_hash_algo": None, "os_hash_value": None}


def sections() -> list[str]:
    """Return the names of the page's sections."""
    return re.findall(r"^### (.+)$", PAGE.read_text(), re.MULTILINE)


def test_page_and_tests_are_the_same():
    """Every section of the page has a test, and every test a section."""
    own = {"page_and_tests_are_the_same", "page_is_complete"}
    tests = [name.removeprefix("test_") for name in globals() if name.startswith("test_")]

    assert [name.replace("-", "_") for name in sections()] == [name for name in tests if name not in own]


def test_page_is_complete():
    """Every section says what eclsdk did, what we do, and why, in whole sentences."""
    of_eclsdk = PAGE.read_text().partition("\n## clouds.yaml and OS_* beside openstacksdk\n")[0]
    bodies = re.split(r"^### .+$", of_eclsdk, flags=re.MULTILINE)[1:]
    for name, body in zip(sections(), bodies, strict=True):
        assert re.fullmatch(r"\s*- eclsdk: .+\.\n- Here: .+\.\n- Why: .+\.\s*(## .+\s*)?", body), name


@pytest.fixture
def on(stub):
    """A function that scripts JSON answers."""
    return lambda method, path, *contents: stub.on(method, path, *[Answer.json(content) for content in contents])


# --- images -----------------------------------------------------------------------------------------------


def test_images_generator(proxy, stub, on):
    """images() yields images page by page."""
    on("GET", "/v2/images", {"images": [{"id": "1"}], "next": "/v2/images?marker=1"}, {"images": [{"id": "2"}]})
    images = proxy.images()

    assert isinstance(images, GeneratorType)
    assert [image.id for image in images] == ["1", "2"]


def test_images_sorted(proxy, on):
    """An image that is missing in a sorted list of two pages is in the list."""
    link = {"next": "/v2/images?marker=1"}
    on("GET", "/v2/images", {"images": [{"id": "1"}], **link}, {"images": []}, {"images": [{"id": "1"}, {"id": "2"}]})

    assert [image.id for image in proxy.images(sort="size:asc")] == ["1", "2"]


def test_images_limit(proxy, stub, on):
    """*limit* is the most images in all, *page_size* the most in one answer."""
    on("GET", "/v2/images", {"images": [{"id": "1"}, {"id": "2"}], "next": "/v2/images?marker=2"},
       {"images": [{"id": "3"}, {"id": "4"}]})  # fmt: skip

    assert [image.id for image in proxy.images(limit=3, page_size=2)] == ["1", "2", "3"]
    assert stub.requests[0].query == {"limit": ["2"]}


def test_images_filters(proxy, stub, on):
    """Any filter is sent, with values as the API reads them."""
    on("GET", "/v2/images", {"images": []})
    list(proxy.images(os_distro="x", protected=True, name=["a", "b"], size_min=5))

    assert stub.last.query == {
        "limit": ["1000"], "os_distro": ["x"], "protected": ["true"], "name": ["in:a,b"], "size_min": ["5"],
    }  # fmt: skip


def test_find_image(proxy, stub, on):
    """find_image() needs one request for a name."""
    on("GET", "/v2/images", {"images": [WIRE]})

    assert proxy.find_image("debian").id == "abc"
    assert stub.lines == ["GET /v2/images?limit=2&name=debian"]


def test_ignore_missing(conn, proxy, stub, on):
    """What is missing is ignored unless one says otherwise."""
    stub.on("GET", "/v2/images/x", Answer(404))
    stub.on("DELETE", "/v2/images/x", Answer(404))
    stub.on("DELETE", "/v2/images/x/members/m", Answer(404))
    on("GET", "/v2/images", {"images": []})

    assert proxy.find_image("x") is None
    assert Image.find(conn.session, "x") is None
    assert proxy.delete_image("x") is None
    assert proxy.delete_member("x", "m") is None


def test_image_or_id(proxy, stub, on):
    """An image, a job and a member stand for their IDs."""
    on("GET", "/v2/images/abc", WIRE)
    on("GET", "/v2/extension/image_replicator/jobs/j", {"job_id": "j"})
    on("GET", "/v2/images/abc/members/m", {"member_id": "m"})
    image = proxy.get_image(Image.existing(id="abc"))
    proxy.get_image_copy_job(ImageCopy.existing(job_id="j"))
    proxy.get_member(image, Member.existing(member_id="m"))

    assert len(stub.requests) == 3


def test_unknown_properties(proxy, stub, on):
    """Properties are sent and kept."""
    on("POST", "/v2/images", WIRE)
    image = proxy.create_image(name="x", os_distro="d", license_switch="L", **{".is_license": "False"})

    assert stub.last.json == {"name": "x", "os_distro": "d", "license_switch": "L", ".is_license": "False"}
    assert image.to_dict()["os_distro"] == "d"


def test_image_mapping(proxy, on):
    """An image is a mapping of what the cloud sent."""
    on("GET", "/v2/images/abc", WIRE)
    image = proxy.get_image("abc")

    assert image["os_distro"] == "d"
    assert dict(image) == WIRE
    assert image.properties == {"os_distro": "d"}


def test_property_names(proxy, stub, on):
    """Names in *properties* are sent as they are, keywords are attributes, and an attribute reads either."""
    on("POST", "/v2/images", {"id": "abc", "os_type": "linux"})
    image = proxy.create_image(properties={"os_type": "linux", "data": "x"}, service_type="s")

    assert stub.last.json == {"os_type": "linux", "data": "x", ".service.type": "s"}
    assert image.os_type == "linux"


def test_image_self(proxy, on):
    """Images of a list have *self*."""
    on("GET", "/v2/images", {"images": [WIRE]})

    assert next(proxy.images()).self == "/x"


def test_image_schema(proxy, on):
    """*image_schema* is what the API calls schema."""
    on("GET", "/v2/images/abc", WIRE)

    assert proxy.get_image("abc").image_schema == "/v2/schemas/image"


def test_list_links(proxy, on):
    """Images of a list have the list's schema and first page."""
    on("GET", "/v2/images", {"images": [WIRE], "schema": "/v2/schemas/images", "first": "/v2/images"})
    image = next(proxy.images())

    assert (image.images_schema, image.first) == ("/v2/schemas/images", "/v2/images")


def test_image_status(proxy, on, pauses):
    """An image can be waited for."""
    on("GET", "/v2/images/abc", WIRE, HASHED)
    image = Image.existing(**WIRE)

    assert (image.status, image.image_status) == ("queued", "queued")
    assert proxy.wait_for_status(image, "active").status == "active"


def test_image_get(conn, stub, on):
    """An image reads and updates itself."""
    on("GET", "/v2/images/abc", WIRE)
    on("PATCH", "/v2/images/abc", WIRE)
    image = Image.existing(id="abc").get(conn.session)
    image.name = "new"
    image.update(conn.session)

    assert stub.last.json == [{"op": "replace", "path": "/name", "value": "new"}]


def test_get_image_missing(proxy, stub):
    """get_image() raises ResourceNotFound."""
    stub.on("GET", "/v2/images/x", Answer(404))
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.get_image("x")


def test_update_image_dict(proxy, stub, on):
    """A dict becomes JSON-patch operations, its names being the API's."""
    on("PATCH", "/v2/images/abc", WIRE)
    proxy.update_image("abc", {"name": "n", "os_distro": None, "os_type": "linux"})

    assert stub.last.json == [
        {"op": "replace", "path": "/name", "value": "n"},
        {"op": "remove", "path": "/os_distro"},
        {"op": "add", "path": "/os_type", "value": "linux"},
    ]


def test_missing_id(proxy, on):
    """An ID that is not there is None, and one under another name is found."""
    on("GET", "/v2/images/abc/members", {"members": [{"member_id": "m"}]})

    assert Image().id is None
    assert next(proxy.members("abc")).id == "m"
    assert ImageCopy(job_id="j").id == "j"


# --- data -------------------------------------------------------------------------------------------------


def upload(stub, after=HASHED):
    """Script an upload."""
    stub.on("GET", "/v2/images/abc", Answer.json(QUEUED), Answer.json(after))
    stub.on("PUT", "/v2/images/abc/file", Answer(204))


def test_upload_result(proxy, stub):
    """upload_image() returns the active image."""
    upload(stub)
    image = proxy.upload_image("abc", DATA)

    assert (image.image_status, image.size, image.os_hash_value) == ("active", len(DATA), HASHED["os_hash_value"])


def test_upload_path(proxy, stub, tmp_path):
    """Text is a path."""
    (tmp_path / "disk").write_bytes(DATA)
    upload(stub)
    proxy.upload_image("abc", str(tmp_path / "disk"))

    assert [request.body for request in stub.requests if request.method == "PUT"] == [DATA]


def test_upload_check(proxy, stub):
    """Content of another format than declared is refused before it is sent, unless forced."""
    stub.on("GET", "/v2/images/abc", Answer.json({**QUEUED, "disk_format": "qcow2"}))
    with pytest.raises(exceptions.InvalidRequest, match="is raw, but the image says disk_format qcow2"):
        proxy.upload_image("abc", DATA)
    upload(stub)

    assert proxy.upload_image("abc", DATA, force=True).status == "active"


def test_upload_verified(proxy, stub):
    """A hash that differs raises DigestMismatch."""
    upload(stub, {**HASHED, "os_hash_value": "0" * 128})
    with pytest.raises(exceptions.DigestMismatch):
        proxy.upload_image("abc", DATA)


def test_upload_retry(proxy, stub, pauses):
    """Data that can be read again is sent again."""
    stub.on("GET", "/v2/images/abc", Answer.json(QUEUED), Answer.json(QUEUED), Answer.json(HASHED))
    stub.on("PUT", "/v2/images/abc/file", Answer(503), Answer(204))

    assert proxy.upload_image("abc", DATA).status == "active"
    assert [request.body for request in stub.requests if request.method == "PUT"] == [DATA, DATA]


def test_download_verified(proxy, stub, on):
    """Data whose hash differs raises DigestMismatch."""
    on("GET", "/v2/images/abc", HASHED)
    stub.on("GET", "/v2/images/abc/file", Answer.data(DATA[:-1] + b"x"))
    with pytest.raises(exceptions.DigestMismatch):
        proxy.download_image("abc")


def test_download_output(proxy, stub, on, tmp_path):
    """A download goes to a path."""
    on("GET", "/v2/images/abc", HASHED)
    stub.on("GET", "/v2/images/abc/file", Answer.data(DATA))

    assert proxy.download_image("abc", output=tmp_path / "disk") == tmp_path / "disk"
    assert (tmp_path / "disk").read_bytes() == DATA


def test_download_resume(proxy, stub, on, pauses):
    """A download goes on where it broke."""
    on("GET", "/v2/images/abc", HASHED)

    def rest(request):
        start = int(re.fullmatch(r"bytes=(\d+)-\d*", request.headers["range"])[1])
        span = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        return Answer.data(DATA[start:], 206, headers={"Content-Range": span})

    stub.on("GET", "/v2/images/abc/file", Answer.data(DATA, cut=4000), rest)

    assert proxy.download_image("abc") == DATA


def test_create_with_data(proxy, stub, on):
    """create_image() takes data, and takes the image back where that fails."""
    on("POST", "/v2/images", QUEUED)
    on("GET", "/v2/images/abc", HASHED)
    stub.on("PUT", "/v2/images/abc/file", Answer(204))
    assert proxy.create_image(name="x", data=DATA).status == "active"

    stub.on("PUT", "/v2/images/abc/file", Answer(413))
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    with pytest.raises(exceptions.TooLargeException):
        proxy.create_image(name="x", data=DATA)
    assert stub.last.method == "DELETE"
    assert [request.json for request in stub.requests if request.method == "POST"] == [
        {"container_format": "bare", "name": "x", "disk_format": "raw"}
    ] * 2


# --- members, tags, extensions ----------------------------------------------------------------------------


def test_member_id_on_create(proxy, stub, on):
    """*member_id* counts as *member*."""
    on("POST", "/v2/images/abc/members", {"member_id": "m"})
    proxy.create_member("abc", member_id="m")

    assert stub.last.json == {"member": "m"}


def test_add_tag(proxy, stub):
    """add_tag() takes an image or its ID."""
    stub.on("PUT", "/v2/images/abc/tags/t", Answer(204))
    proxy.add_tag(Image.existing(id="abc"), "t")
    proxy.add_tag("abc", "t")

    assert len(stub.requests) == 2


def test_remove_tag(proxy, stub):
    """remove_tag() takes a tag off."""
    stub.on("DELETE", "/v2/images/abc/tags/t", Answer(204))

    assert proxy.remove_tag("abc", "t") is None


def test_tags_quoted(proxy, stub, on):
    """A tag is quoted; one that no URL can hold is set with the whole list."""
    stub.on("PUT", "/v2/images/abc/tags/a%3Fb", Answer(204))
    proxy.add_tag("abc", "a?b")
    on("GET", "/v2/images/abc", {"id": "abc", "tags": []})
    on("PATCH", "/v2/images/abc", WIRE)
    proxy.add_tag("abc", "a/b")

    assert stub.last.json == [{"op": "replace", "path": "/tags", "value": ["a/b"]}]


def test_ids_quoted(proxy, stub, on):
    """An ID is one segment; an empty one is refused."""
    on("GET", "/v2/images/a%2F..%2Fb", WIRE)
    proxy.get_image("a/../b")
    with pytest.raises(exceptions.InvalidRequest):
        proxy.get_image("")

    assert len(stub.requests) == 1


def test_licenses_generator(proxy, on):
    """licenses() yields one License."""
    on("GET", "/v2/extension/license_switch/types", {"license_switch_types": ["a", "b"]})
    licenses = proxy.licenses()

    assert isinstance(licenses, GeneratorType)
    assert [(type(each), each.license_switch_types) for each in licenses] == [(License, ["a", "b"])]


def test_copy_job_names(proxy, on):
    """A job has the image's name, and its names may be printed with a blank."""
    on("GET", "/v2/extension/image_replicator/jobs/j",
       {"job_id": "j", "source_image_name": "n", "source_image id": "i"})  # fmt: skip
    job = proxy.get_image_copy_job("j")

    assert (job.source_image_name, job.source_image_id) == ("n", "i")


# --- connection and session -------------------------------------------------------------------------------


def test_image_service_only(conn):
    """A connection has the image service; a profile takes preferences for others all the same."""
    Profile().set_region("compute", "jp1")

    assert isinstance(conn.image, Proxy)
    assert not hasattr(conn, "compute")


def test_profile_plugins():
    """Plug-ins are refused."""
    with pytest.raises(exceptions.InvalidRequest):
        Profile(plugins=["x"])


def test_auth_options(stub):
    """An unknown option is warned of."""
    with pytest.warns(UserWarning, match="did you mean 'project_id'"):
        ecl.connect(**Keystone(stub).options(projct_id="x"))


def test_auth_aliases(stub):
    """tenant_id counts as project_id."""
    keystone = Keystone(stub)
    options = keystone.options(tenant_id="t")
    del options["project_id"]
    ecl.connect(**options).authorize()

    assert keystone.logins[0]["auth"]["scope"] == {"project": {"id": "t"}}


def test_default_domain(stub):
    """A user name without a domain is of the domain "default"."""
    keystone = Keystone(stub)
    ecl.connect(**keystone.options()).authorize()

    assert keystone.logins[0]["auth"]["identity"]["password"]["user"]["domain"] == {"id": "default"}


def test_session_argument():
    """A session is enough for a connection."""
    session = KeystoneSession()

    assert Connection(session=session).image.session is session


def test_any_session(stub, on):
    """A Proxy takes any keystoneauth1 Session or Adapter, and raises our exceptions."""
    stub.on("GET", "/v2/images/abc", Answer(404))
    session = KeystoneSession(auth=NoAuth(endpoint=stub.url))
    for each in (session, Adapter(session), Connection(session=session)):
        with pytest.raises(exceptions.ResourceNotFound):
            Proxy(each).get_image("abc")


def test_endpoint_version(stub, on):
    """The catalog's address may have a version, or none."""
    on("GET", "/v2/images/abc", WIRE)
    for suffix in ("", "/", "/v2", "/v2/"):
        ecl.connect(auth_type="none", endpoint=stub.url + suffix).image.get_image("abc")

    assert len(stub.requests) == 4


def test_https_discovery(tmp_path):
    """http links are taken as https in a document of many versions, too."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        options = Keystone(stub).options(auth_url=stub.url, verify=str(certificate[0]))

        assert ecl.connect(**options).authorize() == "token-1"
    assert stub.lines == ["GET /", "POST /v3/auth/tokens"]


def test_timeouts(stub, on):
    """A request has a time-out, unless it is switched off."""
    on("GET", "/v2/images/abc", WIRE)
    seen = []

    class Watched(KeystoneSession):
        def request(self, url, method, **kwargs):
            seen.append(kwargs["timeout"])
            return super().request(url, method, **kwargs)

    for timeout in (None, 0):
        Proxy(Watched(auth=NoAuth(endpoint=stub.url), timeout=timeout)).get_image("abc")

    assert seen == [(10.0, 60.0), None]


def test_bounds(proxy, stub):
    """An answer that says that it is longer than 64 MiB is not read."""
    stub.on("GET", "/v2/images/abc", Answer(200, b" " * ((64 << 20) + 1)))
    with pytest.raises(exceptions.InvalidResponse, match="longer than 64 MiB"):
        proxy.get_image("abc")


def test_retries(proxy, stub, pauses):
    """A GET is repeated, as Retry-After says."""
    busy = Answer(503, headers={"Retry-After": "3"})
    stub.on("GET", "/v2/images/abc", busy, Answer(502), Answer.drop(), Answer.json(WIRE))

    assert proxy.get_image("abc").name == "debian"
    assert pauses[0] == 3


def test_gateway_timeout(proxy, stub, pauses):
    """An upload after which a gateway said 504 is watched, not sent again, and not deleted."""
    on_service = {**HASHED, "status": "saving"}
    stub.on("GET", "/v2/images/abc", *[Answer.json(each) for each in (WIRE | {"status": "queued"}, on_service, HASHED)])
    stub.on("PUT", "/v2/images/abc/file", Answer(504))

    assert proxy.upload_image("abc", DATA).image_status == "active"
    assert [request.method for request in stub.requests] == ["GET", "PUT", "GET", "GET", "GET"]


def test_token_renewal(stub, on):
    """A token that ends soon is replaced before data is moved."""
    keystone = Keystone(stub, lifetime=LONG_CALL - 30)
    on("GET", "/v2/images/abc", HASHED)
    stub.on("GET", "/v2/images/abc/file", Answer.data(DATA))
    conn = ecl.connect(**keystone.options())
    conn.authorize()
    keystone.lifetime = 3600
    conn.image.download_image("abc")

    assert stub.last.headers["x-auth-token"] == "token-2"


def test_config_loader(tmp_path):
    """Clouds and vendor profiles are read from a folder named ecl as well."""
    (tmp_path / "ecl").mkdir()
    (tmp_path / "ecl" / "clouds.yaml").write_text("clouds: {a: {region_name: jp1}, b: {profile: vendor}}")
    (tmp_path / "ecl" / "clouds-public.yaml").write_text("public-clouds: {vendor: {region_name: jp2}}")
    env = {"XDG_CONFIG_HOME": str(tmp_path)}

    assert [ecl.config.load(name, environ=env).region_name for name in "ab"] == ["jp1", "jp2"]


def test_log_handlers():
    """No logger of the library has a handler."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "ecl"]

    assert [name for name in names if logging.getLogger(name).handlers] == []


def test_lazy_import():
    """``import ecl`` loads nothing else."""
    code = "import sys, ecl; print([name for name in sys.modules if name.startswith(('ecl.', 'keystoneauth1'))])"
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "['ecl.version']"


def test_user_agent(proxy, stub, on):
    """The library has its own name."""
    on("GET", "/v2/images/abc", WIRE)
    proxy.get_image("abc")

    assert stub.last.headers["user-agent"].startswith(f"ecl-image/{ecl.__version__}")


# --- errors -----------------------------------------------------------------------------------------------


def test_error_classes(proxy, stub):
    """Common statuses have classes of their own below HttpException."""
    stub.on("GET", "/v2/images/abc", *[Answer(status) for status in (400, 403, 409, 418, 500)])
    classes = []
    for _ in range(5):
        with pytest.raises(exceptions.HttpException) as caught:
            proxy.get_image("abc")
        classes.append(type(caught.value).__name__)

    assert classes == [
        "BadRequestException", "ForbiddenException", "ConflictException", "ClientException", "ServerException",
    ]  # fmt: skip


def test_error_text(proxy, stub):
    """An error shows its message, status, method, URL and request ID."""
    stub.on("GET", "/v2/images/abc", Answer.json({"message": "No."}, 403, x_openstack_request_id="req-1"))
    with pytest.raises(exceptions.ForbiddenException) as caught:
        proxy.get_image("abc")

    assert caught.value.message == "No."
    assert str(caught.value) == f"No. (HTTP 403, GET {stub.url}/v2/images/abc, request ID req-1)"


def test_error_bodies(proxy, stub):
    """The words of the IAM filter, of nested bodies, of HTML and of plain text are found."""
    stub.on(
        "GET", "/v2/images/abc", Answer.json({"errorMessage": "words"}, 403),
        Answer.json({"badRequest": {"message": "words"}}, 400),
        Answer(404, b"<html><body><h1>404 Not Found</h1>words<br /></body></html>"),
        Answer(401, b"401 Unauthorized\n\nwords"),
    )  # fmt: skip
    for _ in range(4):
        with pytest.raises(exceptions.HttpException) as caught:
            proxy.get_image("abc")
        assert "words" in (caught.value.message, caught.value.details)


def test_connection_errors(stub, pauses):
    """No answer is ConnectFailure, no endpoint EndpointNotFound."""
    stub.on("GET", "/v2/images/abc", Answer.drop())
    with pytest.raises(exceptions.ConnectFailure, match=stub.url):
        ecl.connect(auth_type="none", endpoint=stub.url).image.get_image("abc")
    with pytest.raises(exceptions.EndpointNotFound):
        ecl.connect(**Keystone(stub).options(region_name="nowhere")).image.get_image("abc")


def test_invalid_answers(proxy, stub):
    """What is no JSON, and a versions document, is InvalidResponse."""
    stub.on("GET", "/v2/images/abc", Answer(200, b"<html>"), Answer.json({"versions": []}, 300))
    for _ in range(2):
        with pytest.raises(exceptions.InvalidResponse, match="is this the image service"):
            proxy.get_image("abc")


def test_bad_arguments(proxy, stub):
    """Wrong types and classes are refused before anything is sent, as a ValueError, too."""
    for call in (lambda: proxy.get_image(5), lambda: proxy.delete_image(Member()), lambda: proxy.create_image(a={1})):
        with pytest.raises(ValueError, match=r".") as caught:
            call()
        assert isinstance(caught.value, exceptions.InvalidRequest)
    assert stub.requests == []


# --- waiting and resources --------------------------------------------------------------------------------


def test_own_services(conn, stub, on):
    """A resource of another service sends its headers, and makes requests of its own."""

    class Zone(resource2.Resource):
        base_path = "/v2/zones"
        allow_update = True
        etag = resource2.Header("If-Match")

    on("PUT", "/v2/zones/z", {"name": "new"})
    zone = Zone.existing(id="z")
    zone._update(name="new", etag="7")
    assert zone._prepare_request() == ("/v2/zones/z", {"name": "new"}, {"If-Match": "7"})
    zone.update(conn.session)

    assert (stub.last.json, stub.last.headers["if-match"]) == ({"name": "new"}, "7")


def test_wait_defaults(conn, stub):
    """The functions need no more than what to wait for."""
    stub.on("GET", "/v2/images/abc", Answer.json(HASHED), Answer(404))

    assert resource2.wait_for_status(conn.session, Image.existing(id="abc"), "active").status == "active"
    assert resource2.wait_for_delete(conn.session, Image.existing(id="abc")).id == "abc"


def test_wait_clock(proxy, stub, monkeypatch):
    """Time spent in requests counts."""

    class SlowService:
        now = 0.0

        def monotonic(self):
            self.now += 50
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    slow = SlowService()
    monkeypatch.setattr(polling, "time", slow)
    monkeypatch.setattr(stop, "time", slow)
    stub.on("GET", "/v2/images/abc", Answer.json(WIRE))
    with pytest.raises(exceptions.ResourceTimeout):
        proxy.wait_for_status(Image.existing(id="abc"), "active", wait=120)

    assert len(stub.requests) == 3


def test_wait_case(proxy):
    """Upper and lower case are the same."""
    assert proxy.wait_for_status(Image.existing(id="abc", status="Active"), "ACTIVE")
    with pytest.raises(exceptions.ResourceFailure):
        proxy.wait_for_status(Image.existing(id="abc", status="ERROR"), "active", ["error"])


def test_pages_by_link(conn, stub, on):
    """The next page is where the service says, at our endpoint."""
    on("GET", "/v2/images", {"images": [WIRE], "next": "https://elsewhere/v2/images?marker=m&x=y"}, {"images": []})
    list(Image.list(conn.session, paginated=True))

    assert stub.lines[1] == "GET /v2/images?marker=m&x=y"


def test_equality():
    """Only resources of one class are equal."""
    assert Image.existing(id="a") == Image.existing(id="a")
    assert Image.existing(id="a") != Member.existing(id="a")
    assert Image.existing(id="a") != "a"


def test_component_types():
    """A typed attribute keeps the value that it is given."""

    class Server(resource2.Resource):
        cores = resource2.Body("cores", type=int)

    server = Server()
    server.cores = 5
    assert server._body.dirty == {"cores": 5}
    assert Server(cores="5").cores == 5


def test_service_filter():
    """A filter has what is preferred, and nothing that is not."""
    assert Profile().get_filter("image").get_filter() == {"service_type": "image"}
    assert Image.service.get_filter() == {"service_type": "image", "interface": "public"}


def test_old_modules():
    """The older bases are not there; those that services are written on are."""
    for name in ("resource", "proxy", "module_loader"):
        assert not hasattr(ecl, name)
    for name in ("resource2", "proxy2", "format"):
        assert importlib.import_module(f"ecl.{name}")


def test_python_versions():
    """The library needs no class that Python has dropped."""
    assert sys.version_info >= (3, 11)
    assert issubclass(type(Image()._body), abc.MutableMapping)
    assert datetime.UTC
