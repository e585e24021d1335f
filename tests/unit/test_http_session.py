"""The session of requests that ecl's own session uses: as requests', but for the time that it takes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import requests

import ecl
from ecl._http.http_session import HttpSession
from ecl.image import Proxy
from support.http_stub import Answer, HttpStub, Keystone

ENVIRONMENTS = (
    {},
    {"http_proxy": "http://one.example:3128"},
    {"HTTPS_PROXY": "http://two.example:3128", "NO_PROXY": "b.example,10.0.0.0/8"},
    {"all_proxy": "http://three.example:3128", "no_proxy": "*"},
    {"https_proxy": "http://four.example:1", "REQUESTS_CA_BUNDLE": "/ca.pem"},
    {"CURL_CA_BUNDLE": "/curl.pem"},
)
ADDRESSES = ("http://a.example/v2", "https://a.example:9292/v2", "https://b.example/", "http://10.1.2.3:80/x")
VERIFY = (True, None, False, "/own.pem")


@pytest.fixture(params=(True, False), ids=("trusts", "distrusts"))
def both(request: pytest.FixtureRequest) -> Iterator[tuple[requests.Session, requests.Session]]:
    """Ours and requests' own, which trust the environment or do not."""
    with HttpSession() as ours, requests.Session() as theirs:
        for each in (ours, theirs):
            each.trust_env = request.param
        yield ours, theirs


def test_settings_are_those_of_requests(
    both: tuple[requests.Session, requests.Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every environment, address and argument, one after the other in one session, requests says the same."""
    for environment, address, verify in itertools.product(ENVIRONMENTS, ADDRESSES, VERIFY):
        for name in {name for each in ENVIRONMENTS for name in each}:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for proxies, stream, cert in (({}, False, None), ({"https": "http://given:1"}, True, "/c.pem"), ({}, None, "")):
            ours, theirs = (
                each.merge_environment_settings(address, dict(proxies), stream, verify, cert) for each in both
            )
            assert {**ours, "proxies": dict(ours["proxies"])} == {**theirs, "proxies": dict(theirs["proxies"])}


def test_a_new_login_brings_new_addresses() -> None:
    """What is known of the addresses ends with the log-in that they are from."""
    with HttpStub() as stub, HttpStub() as moved:
        keystone = Keystone(stub)
        for each in (stub, moved):
            each.on("GET", "/v2/images", Answer.json({"images": []}))
        connection = ecl.connect(auth_url=f"{stub.url}/v3", username="u", password="p", project_name="x")
        list(connection.image.images())
        keystone.regions = {"jp1": moved.url}
        list(connection.image.images())
        assert moved.requests == []

        connection.session.invalidate()
        list(connection.image.images())
        assert [request.path for request in moved.requests] == ["/v2/images"]


def test_a_copy_with_other_preferences_asks_for_itself() -> None:
    """Proxies that share a log-in and prefer different regions go to different addresses."""
    with HttpStub() as stub:
        Keystone(stub).serve_images(["one", "two"], ["public", "internal"])
        connection = ecl.connect(
            auth_url=f"{stub.url}/v3", username="u", password="p", project_name="x", region_name="one"
        )
        list(connection.image.images())
        list(Proxy(ecl.connect(session=connection.session, region_name="two").session).images())
        list(connection.image.images())

        paths = [request.path for request in stub.requests if request.path.endswith("/v2/images")]
        assert paths == [f"/image/{region}/public/v2/images" for region in ("one", "two", "one")]
