"""Requests with a token that is known, without keystoneauth1 and requests; and with them, where it takes them."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import socket
import subprocess
import sys
import threading
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keystoneauth1 import access
from keystoneauth1.exceptions import EndpointNotFound

import ecl
from ecl import exceptions
from ecl._http.direct import DirectSession
from ecl._http.known_token import KnownToken
from ecl._http.plain import is_behind_a_proxy
from ecl.image.v2._proxy import Proxy
from ecl.profile import Profile
from support.direct import TOKEN, direct_proxy, token_body
from support.http_stub import Answer, HttpStub, Keystone, make_certificate

IMAGE = {"id": "abc", "name": "debian", "status": "active"}
#: What the libraries say of themselves, and which encodings each of them can read.
OWN_HEADERS = {"user-agent", "accept-encoding", "x-auth-token"}


def no_session() -> Any:
    """Fail: the test is of requests that need no session of keystoneauth1."""
    raise AssertionError("it was handed over")


@pytest.fixture
def alone(stub):
    """The image service at the stub, which fails where it needs keystoneauth1."""
    session = DirectSession(KnownToken(TOKEN, token_body(stub.url)), no_session, profile=Profile())
    yield Proxy(session)
    session.close()


@pytest.fixture
def proxy(stub):
    """The image service at the stub, by a known token; keystoneauth1 is behind it."""
    made = direct_proxy(stub.url)
    yield made
    made.session.close()


def was_handed_over(proxy: Proxy) -> bool:
    """Tell whether the last requests were sent by keystoneauth1, which says so in its User-Agent."""
    return proxy.session._real is not None


# --- the same requests ------------------------------------------------------------------------------------

CALLS = {
    "list": lambda proxy: [image.id for image in proxy.images(name="a b", tag=["x", "ü"], sort="name:asc")],
    "pages": lambda proxy: [image.id for image in proxy.images(page_size=1)],
    "show": lambda proxy: proxy.get_image("abc").name,
    "find": lambda proxy: proxy.find_image("debian", ignore_missing=True),
    "create": lambda proxy: proxy.create_image(name="ü").id,
    "update": lambda proxy: proxy.update_image("abc", {"name": "y"}).id,
    "delete": lambda proxy: proxy.delete_image("abc"),
    "tag": lambda proxy: proxy.add_tag("abc", "a/b c"),
    "untag": lambda proxy: proxy.remove_tag("abc", "a+b"),
    "share": lambda proxy: proxy.create_member("abc", member="m").status,
    "deactivate": lambda proxy: proxy.deactivate_image("abc"),
    "schema": lambda proxy: proxy.get_image_schema().name,
}


def serve(stub: HttpStub) -> None:
    """Answer whatever the calls send."""

    def pages(request):
        if request.query.get("limit") == ["1"] and "marker" not in request.query:
            return Answer.json({"images": [IMAGE], "next": "/v2/images?marker=abc&limit=1&name=a+b%2Fc"})
        return Answer.json({"images": [IMAGE]})

    stub.on("GET", "/v2/images", pages)
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("GET", "/v2/images/debian", Answer(404))
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    stub.on("PATCH", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    stub.on("PUT", "/v2/images/abc/tags/a%2Fb%20c", Answer(204))
    stub.on("DELETE", "/v2/images/abc/tags/a%2Bb", Answer(204))
    stub.on("POST", "/v2/images/abc/members", Answer.json({"member_id": "m", "status": "pending"}))
    stub.on("POST", "/v2/images/abc/actions/deactivate", Answer(204))
    stub.on("GET", "/v2/schemas/image", Answer.json({"name": "image", "properties": {}}))


@pytest.mark.parametrize("name", CALLS)
def test_same_requests(name, stub, alone):
    """Each call sends what it sends by keystoneauth1: methods, targets, headers, bodies; and returns the same."""
    theirs = ecl.connect(auth_type="admin_token", endpoint=stub.url, token=TOKEN).image
    sent, returned = [], []
    for proxy in (theirs, alone):
        stub.reset()
        serve(stub)
        returned.append(CALLS[name](proxy))
        sent.append(
            [
                (each.method, each.target, {k: v for k, v in each.headers.items() if k not in OWN_HEADERS}, each.body)
                for each in stub.requests
            ]
        )
        assert {each.headers["x-auth-token"] for each in stub.requests} == {TOKEN}

    assert sent[0] == sent[1] != []
    assert returned[0] == returned[1]


TROUBLES = {
    "not found": Answer.json({"message": "No image &lt;abc&gt;"}, 404, x_openstack_request_id="req-1"),
    "html": Answer(500, b"<html><title>oops</title>broken</html>"),
    "no body": Answer(409),
    "moved": Answer(302, headers={"Location": "http://192.0.2.1/v2/images/abc"}),
    "versions": Answer.json({"versions": []}, 300),
    "not json": Answer(200, b"<html>"),
    "a list": Answer.json([1]),
    "no encoding": Answer(200, b'{"id": "\xff"}', {"Content-Type": "application/json"}),
    "dropped": Answer.drop(),
    "cut": Answer(200, b'{"id": "abc", "name": "x"}', cut=5),
    "cut in a chunk": Answer(200, b'{"id": "abc", "name": "x"}', chunked=True, cut=5),
    "busy": Answer(503, b"busy", {"Retry-After": "1"}),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_same_troubles(method, trouble, stub, alone, pauses):
    """What goes wrong ends in the same error, with the same words, after as many attempts."""
    theirs = ecl.connect(auth_type="admin_token", endpoint=stub.url, token=TOKEN).image
    ended = []
    for proxy in (theirs, alone):
        stub.reset()
        stub.on(method, "/v2/images/abc", trouble)
        try:
            result: Any = proxy.get_image("abc").id if method == "GET" else proxy.delete_image("abc")
        except exceptions.SDKException as exc:
            result = (type(exc), str(exc), exc.request_id, exc.url, exc.method, exc.http_status)
        ended.append((result, stub.lines))

    assert ended[0] == ended[1]


# --- answers ----------------------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    """Compress without the header of zlib, as some servers do."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
def test_compressed_answer(encoding, pack, stub, alone):
    """An answer may be compressed by the encodings that the request names."""
    stub.on("GET", "/v2/images/abc", Answer(200, pack(b'{"id": "abc"}'), {"Content-Encoding": encoding}))

    assert alone.get_image("abc").id == "abc"
    assert stub.last.headers["accept-encoding"] == "gzip, deflate"


def test_damaged_compression(stub, alone, pauses):
    """An answer that cannot be unpacked is a failed connection, as for requests."""
    stub.on("GET", "/v2/images/abc", Answer(200, b"no gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(exceptions.ConnectFailure, match="not gzip"):
        alone.get_image("abc")

    assert len(stub.requests) == 4


# --- connections ------------------------------------------------------------------------------------------


def test_connection_is_kept(alone):
    """Requests one after the other go over one connection; if the service closed it, over a new one."""
    ports = []
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"id": "abc"}'
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_two_connections() -> None:
            for requests in (2, 1):
                connection, address = listener.accept()
                with connection:
                    for _ in range(requests):
                        connection.recv(1 << 16)
                        ports.append(address[1])
                        connection.sendall(answer)

        server = threading.Thread(target=serve_two_connections)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        session = DirectSession(KnownToken(TOKEN, token_body(url)), no_session, profile=Profile())
        with contextlib.closing(session):
            assert [Proxy(session).get_image("abc").id for _ in range(3)] == ["abc"] * 3
        server.join()

    assert ports[0] == ports[1] != ports[2]


def test_ca_of_the_environment(tmp_path, monkeypatch):
    """REQUESTS_CA_BUNDLE names the certificates to trust, as for requests; nothing is handed over."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with HttpStub(certificate) as stub:
        stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
        session = DirectSession(KnownToken(TOKEN, token_body(stub.url)), no_session, profile=Profile())
        with contextlib.closing(session):
            assert Proxy(session).get_image("abc").id == "abc"


def test_missing_ca_file(tmp_path):
    """A CA file that is not there is the real session's to name."""
    made = direct_proxy("https://127.0.0.1:9", verify=str(tmp_path / "none.pem"))
    with contextlib.closing(made.session), pytest.raises(exceptions.ConfigException, match=r"no CA file .*none\.pem"):
        made.get_image("abc")


def test_netrc_is_not_read(stub, alone, tmp_path, monkeypatch):
    """A ~/.netrc that names the host adds nothing to requests."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password other-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    alone.get_image("abc")

    assert "authorization" not in stub.last.headers


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("http_proxy", "http://127.0.0.1:9", True), ("HTTPS_PROXY", "http://127.0.0.1:9", True),
        ("all_proxy", "socks5://127.0.0.1:9", True), ("no_proxy", "*", False), ("https_proxy", "", False),
    ],
)  # fmt: skip
def test_proxy_variables(name, value, expected, monkeypatch):
    """A variable that names a proxy is seen in either case; one that is empty, and no_proxy, name none."""
    monkeypatch.setenv(name, value)

    assert is_behind_a_proxy() is expected


# --- handing over -----------------------------------------------------------------------------------------


def test_streams_are_handed_over(stub, proxy):
    """Data goes by keystoneauth1, in both directions, and so does what comes after it."""
    queued = Answer.json({**IMAGE, "status": "queued"})
    stub.on("GET", "/v2/images/abc", queued, queued, Answer.json(IMAGE))
    stub.on("PUT", "/v2/images/abc/file", Answer(204))
    proxy.get_image("abc")
    assert not was_handed_over(proxy)
    proxy.upload_image("abc", b"x" * 1000, force=True)

    assert was_handed_over(proxy)
    agents = [each.headers["user-agent"] for each in stub.requests]
    assert ["keystoneauth1" in agent for agent in agents] == [False] + [True] * (len(agents) - 1)
    assert {each.headers["x-auth-token"] for each in stub.requests} == {TOKEN}


def test_token_that_ends_is_handed_over(stub):
    """A token within the margin of its end is not sent; the real session has a new one."""
    keystone = Keystone(stub)
    conn = ecl.connect(**keystone.options())
    token = KnownToken(TOKEN, token_body(stub.url, lifetime=100))
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    with contextlib.closing(DirectSession(token, lambda: conn.session, profile=Profile(), margin=120)) as session:
        Proxy(session).get_image("abc")

    assert stub.last.headers["x-auth-token"] == "token-1"


def test_refused_token_without_another_is_an_error(stub, proxy):
    """Where no new token can be got, the refusal counts; the request is not sent twice."""
    stub.on("GET", "/v2/images/abc", Answer(401, b"Authentication required"))
    with pytest.raises(exceptions.UnauthorizedException, match="Authentication required"):
        proxy.get_image("abc")

    assert len(stub.requests) == 1


def test_what_it_has_not_comes_from_the_real_session(stub, proxy):
    """Any other attribute and argument is keystoneauth1's."""
    stub.on("GET", "/elsewhere", Answer.json({}))

    assert proxy.session.get(f"{stub.url}/elsewhere").status_code == 200
    assert was_handed_over(proxy)
    with pytest.raises(AttributeError):
        _ = proxy.session.no_such_name


def test_odd_address_is_handed_over(stub):
    """An address that libraries may write differently is left to requests."""
    made = direct_proxy(f"http://someone:secret@127.0.0.1:{stub.port}")
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    with contextlib.closing(made.session):
        made.get_image("abc")
        assert was_handed_over(made)


def test_header_that_cannot_be_sent(stub, pauses):
    """A token that no header can hold, as of a damaged cache, is the real session's matter."""
    conn = ecl.connect(**Keystone(stub).options())
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    token = KnownToken("a\r\nb", token_body(stub.url))
    with contextlib.closing(DirectSession(token, lambda: conn.session, profile=Profile())) as session:
        assert Proxy(session).get_image("abc").id == "abc"


def test_threads_share_it(stub, alone):
    """Many threads at once are served, each over a connection of its own."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    found = []
    threads = [threading.Thread(target=lambda: found.append(alone.get_image("abc").id)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == ["abc"] * 8


def test_it_imports_no_library(stub):
    """A request and its answer load neither keystoneauth1 nor requests nor urllib3."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    code = (
        "import sys\n"
        "from ecl._http.direct import DirectSession\n"
        "from ecl._http.known_token import KnownToken\n"
        "from ecl.image.v2._proxy import Proxy\n"
        "from ecl.profile import Profile\n"
        f"session = DirectSession(KnownToken({TOKEN!r}, {token_body(stub.url)!r}), None, profile=Profile())\n"
        "print(Proxy(session).get_image('abc').name)\n"
        "session.close()\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    name, _, loaded = done.stdout.partition("\n")

    assert name == "debian"
    assert not {"keystoneauth1", "requests", "urllib3"} & set(loaded.split())


# --- the catalog ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["image", "glance", "compute", None])
INTERFACES = st.sampled_from(["public", "internal", "admin"])
REGIONS = st.sampled_from(["jp1", "jp2", None])
ENDPOINTS = st.fixed_dictionaries(
    {"interface": INTERFACES, "region": REGIONS, "url": st.sampled_from(["http://a", "http://b", "http://c", ""])},
    optional={"region_id": REGIONS, "id": st.just("e")},
)
SERVICES = st.fixed_dictionaries(
    {"type": st.sampled_from(["image", "compute"]), "endpoints": st.lists(ENDPOINTS, max_size=5)},
    optional={"name": NAMES},
)


@settings(max_examples=300, deadline=None)
@given(
    catalog=st.lists(SERVICES, max_size=4),
    interface=INTERFACES | st.lists(INTERFACES, min_size=1, unique=True) | st.just("publicURL"),
    region=REGIONS,
    name=NAMES,
)
def test_same_endpoint(catalog, interface, region, name):
    """Of any catalog, the address is the one that keystoneauth1 takes; or none, where it takes none."""
    body = token_body("http://x")
    body["token"]["catalog"] = catalog
    wanted = {"service_type": "image", "interface": interface, "region_name": region, "service_name": name}
    theirs = access.create(body=body, auth_token=TOKEN).service_catalog
    try:
        expected = theirs.url_for(**wanted) if catalog else None
    except EndpointNotFound:
        expected = None

    assert KnownToken(TOKEN, body).endpoint(**wanted) == expected


def test_missing_endpoint_is_the_real_sessions_error(stub):
    """A region that the catalog does not have is an error that says which there are."""
    keystone = Keystone(stub)
    conn = ecl.connect(**keystone.options(), region_name="jp9")
    profile = Profile()
    profile.set_region("image", "jp9")
    session = DirectSession(KnownToken(TOKEN, token_body(stub.url)), lambda: conn.session, profile=profile)
    with (
        contextlib.closing(session),
        pytest.raises(exceptions.EndpointNotFound, match=r"'image'.*region_name 'jp9'; .* the regions jp1"),
    ):
        Proxy(session).get_image("abc")


def test_endpoint_that_is_given(stub):
    """An address of the configuration counts over the catalog."""
    stub.on("GET", "/other/v2/images/abc", Answer.json(IMAGE))
    token = KnownToken(TOKEN, token_body("http://192.0.2.1"))
    overrides = {"image": f"{stub.url}/other"}
    session = DirectSession(token, no_session, profile=Profile(), endpoint_overrides=overrides)
    with contextlib.closing(session):
        assert Proxy(session).get_image("abc").id == "abc"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"access": {"token": {"id": "x"}}}, {"token": {"expires_at": "2099-01-01T00:00:00Z"}},
        {"token": {"catalog": []}}, {"token": {"catalog": [], "expires_at": "soon"}},
        {"token": {"catalog": [], "expires_at": "2099-01-01T00:00:00"}},
    ],
)  # fmt: skip
def test_token_that_says_too_little(body):
    """Without an end or a catalog, and of version 2, a token is of no use here."""
    with pytest.raises(ValueError, match=r"token|isoformat"):
        KnownToken(TOKEN, body)


def test_seconds_left():
    """A token says how long it is good for."""
    body = token_body("http://x")
    body["token"]["expires_at"] = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()

    assert 3500 < KnownToken(TOKEN, body).seconds_left() <= 3600
    assert KnownToken(TOKEN, body).project_id == "0" * 32
