"""What those need who write resources of other services: formats, paths, errors, pages by marker."""

from __future__ import annotations

import keystoneauth1.exceptions as ksa_exceptions
import pytest

from ecl import exceptions, proxy2, resource2, utils
from ecl.format import BoolStr, Formatter
from ecl.service_filter import ServiceFilter
from ecl.session import map_exceptions
from support.http_stub import Answer, HttpStub, Keystone


class Hex(Formatter):
    """Numbers as hexadecimal text."""

    @classmethod
    def serialize(cls, value):
        """Return the text."""
        return f"{value:x}"

    @classmethod
    def deserialize(cls, value):
        """Return the number."""
        return int(value, 16)


class Zone(resource2.Resource):
    """A resource of another service."""

    resources_key = "zones"
    base_path = "/zones"
    service = ServiceFilter("dns", version="v2")
    allow_create = allow_get = allow_list = allow_update = True
    _query_mapping = resource2.QueryParameters("limit", after="after", marker="marker")

    serial = resource2.Body[int]("serial", type=Hex)
    is_shared = resource2.Body[bool]("shared", type=BoolStr, default=False)
    etag = resource2.Header[str]("If-Match")


@pytest.fixture
def dns(stub):
    """A session whose catalog names the DNS service with a version."""
    import ecl

    return ecl.connect(auth_type="none", endpoint=stub.url + "/v2").session


def test_formatter():
    """An attribute is set and read by its formatter; what the service sent is kept as it is."""
    zone = Zone.existing(serial="ff", shared="TRUE")
    assert (zone.serial, zone.is_shared) == (255, True)
    zone.serial, zone.is_shared = 16, True

    assert dict(zone) == {"serial": "10", "shared": "true"}
    assert Zone().is_shared is False
    assert Zone.existing(serial=None).serial is None
    with pytest.raises(ValueError, match="A boolean is needed, not 'yes'"):
        zone.is_shared = "yes"
    with pytest.raises(ValueError, match="'true' or 'false', not 'yes'"):
        _ = Zone.existing(shared="yes").is_shared


def test_formatter_is_a_base():
    """A formatter has to say both ways."""
    for verb in (Formatter.serialize, Formatter.deserialize):
        with pytest.raises(NotImplementedError):
            verb("x")


@pytest.mark.parametrize(
    ("parts", "path"),
    [(("/v2/zones/", 5), "v2/zones/5"), (("a", None, "/b/"), "a//b"), ((), ""), (("http://x/", "y"), "http://x/y")],
)
def test_urljoin(parts, path):
    """Parts are joined by one slash each, whatever slashes they bring."""
    assert utils.urljoin(*parts) == path


def test_map_exceptions():
    """A function raises this library's errors where it would raise keystoneauth1's; its own pass."""

    @map_exceptions
    def call(error):
        """Say something."""
        raise error

    with pytest.raises(exceptions.EndpointNotFound):
        call(ksa_exceptions.EndpointNotFound("no such service"))
    with pytest.raises(exceptions.HttpException, match="away"):
        call(ksa_exceptions.HttpError("away", http_status=410))
    with pytest.raises(KeyError):
        call(KeyError("x"))
    assert (call.__name__, call.__doc__) == ("call", "Say something.")


def test_path_without_version(dns, stub):
    """A path without a version goes below the catalog's address as it is."""
    stub.on("GET", "/v2/zones", Answer.json({"zones": []}))
    stub.on("POST", "/v2/zones", Answer.json({"id": "z"}, 201))

    assert list(Zone.list(dns)) == []
    assert Zone.new(serial="1", etag="7").create(dns).id == "z"
    assert [request.headers.get("if-match") for request in stub.requests] == [None, "7"]


def test_own_request_by_a_filter():
    """A session that is given a resource's service finds the catalog's address, without asking for versions."""
    import ecl

    with HttpStub() as stub:
        keystone = Keystone(stub)
        keystone.other_services = ("dns",)
        stub.on("GET", "/dns/jp1/zones/z", Answer.json({}))
        session = ecl.connect(**keystone.options()).session
        request = Zone.existing(id="z")._prepare_request()

        assert session.get(request.uri, endpoint_filter=Zone.service).status_code == 200
        assert stub.unexpected == []


def test_page_that_comes_again(dns, stub):
    """A service that does not know markers ends the list with an error, not with a loop."""
    stub.on("GET", "/v2/zones", Answer.json({"zones": [{"id": "1"}, {"id": "2"}]}))
    found = Zone.list(dns, paginated=True)
    seen = [next(found).id for _ in range(4)]

    assert seen == ["1", "2", "1", "2"]
    with pytest.raises(exceptions.InvalidResponse, match="does not go on after '2'"):
        next(found)
    assert stub.lines == ["GET /v2/zones", "GET /v2/zones?limit=2&marker=2"]


def test_links_count_over_markers(dns, stub):
    """Where the service has linked to a page, the list ends where there is no further link."""
    stub.on("GET", "/v2/zones", Answer.json({"zones": [{"id": "1"}], "next": "/v2/zones?page=2"}),
            Answer.json({"zones": [{"id": "2"}]}))  # fmt: skip

    assert [zone.id for zone in Zone.list(dns, paginated=True)] == ["1", "2"]
    assert stub.lines == ["GET /v2/zones", "GET /v2/zones?page=2"]


def test_list_checks_its_value(dns, stub):
    """A proxy's list refuses a resource of another class; the class of the parent is the caller's affair."""

    class Other(resource2.Resource):
        """Another one."""

    proxy = proxy2.BaseProxy(dns)
    with pytest.raises(exceptions.InvalidRequest, match=r"Expected Zone but received Other: .*Other\(id=5\)"):
        proxy._list(Zone, Other.existing(id="5"))
    assert proxy._get_uri_attribute(Zone.existing(id="z"), None, "id") == "z"
    assert proxy._get_uri_attribute(None, Other.existing(id="5"), "id") == "5"
    assert stub.requests == []


def test_missing_id_shows_the_object(dns, stub):
    """An operation on a resource without an ID shows which one it is."""
    with pytest.raises(exceptions.InvalidRequest, match=r"none was found in .*Zone\(name=a\)"):
        Zone.existing(name="a").get(dns)
    assert stub.requests == []
