"""Whose session it is that sends, and whose exceptions come back."""

from __future__ import annotations

import time

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession
from requests import Response

from ecl import _http, exceptions
from ecl.image.image_service import ImageService
from ecl.image.v2._proxy import Proxy
from support.http_stub import Answer

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
