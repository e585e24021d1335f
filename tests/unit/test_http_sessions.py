"""Whose session it is that sends, and whose exceptions come back."""

from __future__ import annotations

import time

import pytest
from keystoneauth1 import plugin
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.generic import Password
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession
from requests import Response

import ecl
from ecl import _http, exceptions
from ecl.image.image_service import ImageService
from ecl.image.v2._proxy import Proxy
from ecl.profile import Profile
from ecl.session import Session
from support.http_stub import Answer, Keystone

IMAGE = {"id": "abc", "name": "debian", "status": "active"}


def get(proxy):
    """Read an image."""
    return proxy.get_image("abc")


def test_keystoneauth_session(stub):
    """A Proxy speaks through a session of keystoneauth1."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))

    assert get(Proxy(KeystoneSession(auth=NoAuth(endpoint=stub.url)))).id == "abc"


def test_adapter(stub):
    """A Proxy speaks through an Adapter, with its address."""
    stub.on("GET", "/there/v2/images/abc", Answer.json(IMAGE))
    adapter = Adapter(
        KeystoneSession(auth=NoAuth(endpoint="http://127.0.0.1:9")), endpoint_override=f"{stub.url}/there/v2"
    )

    assert get(Proxy(adapter)).id == "abc"


def test_adapter_preferences(stub):
    """An Adapter's interface and region count over ours."""

    class Asked(KeystoneSession):
        def get_endpoint(self, auth=None, **kwargs):
            self.asked = kwargs
            return stub.url

    session = Asked(auth=NoAuth(endpoint=stub.url))
    _http.endpoint(Adapter(session, interface="internal", region_name="jp2"), ImageService())
    assert (session.asked["interface"], session.asked["region_name"]) == ("internal", "jp2")

    _http.endpoint(Adapter(session), ImageService())
    assert session.asked == {"service_type": "image", "interface": "public", "skip_discovery": True}


def test_connection_of_another_library(stub):
    """A Proxy takes a connection that has a session."""

    class Connection:
        session = KeystoneSession(auth=NoAuth(endpoint=stub.url))

    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))

    assert get(Proxy(Connection())).id == "abc"


@pytest.mark.parametrize("thing", [None, "http://127.0.0.1", object(), 5])
def test_no_session(thing):
    """What cannot send requests is refused at once, by its type."""
    with pytest.raises(exceptions.InvalidRequest, match=f"not {type(thing).__name__}"):
        Proxy(thing)


@pytest.mark.parametrize("trouble", ["HttpError", "ConnectFailure", "EndpointNotFound", "MissingAuthPlugin"])
def test_foreign_exceptions_are_translated(trouble):
    """Whatever keystoneauth1 raises is one of ours, with its words."""
    from keystoneauth1 import exceptions as ksa

    expected = {
        "HttpError": exceptions.HttpException,
        "ConnectFailure": exceptions.ConnectFailure,
        "EndpointNotFound": exceptions.EndpointNotFound,
        "MissingAuthPlugin": exceptions.SDKException,
    }[trouble]
    with pytest.raises(expected, match="these words"), _http.translated():
        raise getattr(ksa, trouble)("these words")


def test_every_class_of_keystoneauth_is_translated():
    """No exception class of keystoneauth1 goes unmapped, whatever it is made with."""
    from keystoneauth1 import exceptions as ksa

    arguments = {
        "InvalidResponse": [Response()],
        "MissingAuthMethods": [Response()],
        "MissingRequiredOptions": [[]],
        "NoMatchingPlugin": ["plugin"],
        "ServiceProviderNotFound": ["provider"],
        "UnknownConnectionError": ["broken", OSError()],
        "UnsupportedParameters": [["parameter"]],
    }
    for name in dir(ksa):
        cls = getattr(ksa, name)
        if isinstance(cls, type) and issubclass(cls, ksa.ClientException):
            with pytest.raises(exceptions.SDKException), _http.translated():
                raise cls(*arguments.get(name, []))


def test_pause_is_real(monkeypatch):
    """A pause sleeps."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    _http.pause(3)

    assert 1.5 <= slept[0] <= 2


# --- region and interface ---------------------------------------------------------------------------------------


@pytest.fixture
def keystone(stub):
    """A Keystone with two regions, each with a public and an internal endpoint."""
    keystone = Keystone(stub)
    keystone.serve_images(["one", "two"], ["public", "internal"])
    return keystone


@pytest.fixture
def session(keystone):
    """A plain session of keystoneauth1."""
    return KeystoneSession(auth=Password(user_domain_id="default", **keystone.options()))


def asked(stub, proxy):
    """List images; return where that was asked."""
    list(proxy.images())
    return stub.last.path.removesuffix("/v2/images").removeprefix("/image/")


def test_connect_with_session_and_region(stub, session):
    """A session of keystoneauth1 gets the region and the interface that are given beside it."""
    assert asked(stub, ecl.connect(session=session, region_name="two").image) == "two/public"
    assert asked(stub, ecl.connect(session=session, region_name="two", interface="internal").image) == "two/internal"


def test_connect_with_session_and_profile(stub, session):
    """A session of keystoneauth1 gets the preferences of a profile."""
    profile = Profile()
    profile.set_region("image", "two")
    profile.set_interface(profile.ALL, "internal")

    assert asked(stub, ecl.connect(session=session, profile=profile).image) == "two/internal"


def test_connect_with_session_and_override(stub, session):
    """A session of keystoneauth1 gets the address that is given beside it."""
    conn = ecl.connect(session=session, endpoint_overrides={"image": f"{stub.url}/image/two/internal"})

    assert asked(stub, conn.image) == "two/internal"


@pytest.mark.parametrize("region", [None, "two"])
def test_connect_with_adapter(region, stub, session):
    """An Adapter keeps what it prefers, as far as nothing else is given; it is not changed itself."""
    adapter = Adapter(session, interface="internal", region_name="one")

    assert asked(stub, ecl.connect(session=adapter, region_name=region).image) == f"{region or 'one'}/internal"
    assert asked(stub, Proxy(adapter)) == "one/internal"


def test_connect_with_our_session(stub, keystone):
    """A session of ours keeps what it prefers, as far as nothing else is given; it is not changed itself."""
    own = ecl.connect(**keystone.options(), region_name="one", interface="internal").session

    assert asked(stub, ecl.connect(session=own, region_name="two").image) == "two/internal"
    assert asked(stub, Proxy(own)) == "one/internal"
    assert len(keystone.logins) == 1


def test_plain_session_with_several_regions(stub, session):
    """A session that cannot know the region is refused, with what to pass; nothing is asked in any region."""
    with pytest.raises(exceptions.InvalidRequest, match=r"2 regions \(one, two\).*connect\(session=…, region_name=…\)"):
        list(Proxy(session).images())
    with pytest.raises(exceptions.InvalidRequest, match="2 regions"):
        list(ecl.connect(session=session).image.images())

    assert "/v2/images" not in " ".join(stub.lines)


def test_plain_session_with_one_region(stub, session, keystone):
    """Where there is only one region, a plain session is enough."""
    keystone.serve_images(["only"], ["public", "internal"])

    assert asked(stub, Proxy(session)) == "only/public"


@pytest.mark.parametrize("arguments", [{"region_name": "mars"}, {"region_name": "mars", "interface": "internal"}])
def test_unknown_region(arguments, stub, session, keystone):
    """A region that the catalog does not have is an error that names those it has."""
    for given in (keystone.options(), {"session": session}):
        with pytest.raises(exceptions.EndpointNotFound, match=r"region_name 'mars'; .* in the regions one, two"):
            list(ecl.connect(**given, **arguments).image.images())


def test_interface_by_arguments(stub, keystone):
    """connect() with an address obeys interface, also several in order."""
    conn = ecl.connect(**keystone.options(), region_name="two", interface="internal")
    several = ecl.connect(**keystone.options(), region_name="one", interface=["admin", "internal"])

    assert asked(stub, conn.image) == "two/internal"
    assert asked(stub, several.image) == "one/internal"


def test_other_services(stub, keystone):
    """A session of ours finds other services, in the region and by the interface of the connection."""
    keystone.other_services = ("object-store", "compute")
    session = ecl.connect(**keystone.options(), region_name="two", interface="internal").session

    assert session.get_endpoint(service_type="object-store") == f"{stub.url}/object-store/two/internal"
    assert session.get_endpoint(service_type="compute") == f"{stub.url}/compute/two/internal"
    assert session.get_endpoint(interface=plugin.AUTH_INTERFACE, service_type="identity") == f"{stub.url}/v3/"


def test_other_services_without_preferences(stub, keystone):
    """Without preferences of the connection, what is asked for counts, for services of any type."""
    keystone.other_services = ("object-store",)
    session = Session(auth=Password(user_domain_id="default", **keystone.options()))
    endpoint = session.get_endpoint(service_type="object-store", interface="internal", region_name="two")

    assert endpoint == f"{stub.url}/object-store/two/internal"


def test_request_to_another_service(stub, keystone):
    """A request by endpoint_filter goes to the other service, as with any session of keystoneauth1."""
    keystone.other_services = ("object-store",)
    stub.on("GET", "/object-store/two/public/box", Answer.json([]))
    session = ecl.connect(**keystone.options(), region_name="two").session

    assert session.get("/box", endpoint_filter={"service_type": "object-store"}).json() == []
