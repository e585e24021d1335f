"""Logging in, and staying logged in."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.generic import Password
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.profile import Profile
from ecl.session import LONG_CALL, Session, as_session, renew_token_before_long_call
from support.http_stub import Answer, HttpStub, Keystone, make_certificate

IMAGE = {"id": "abc", "status": "queued", "size": None}
ACTIVE = {**IMAGE, "status": "active", "size": 3, "checksum": "900150983cd24fb0d6963f7d28e17f72"}


@pytest.fixture
def keystone(stub):
    """A Keystone on the stub."""
    return Keystone(stub)


@pytest.fixture
def logged_in(keystone):
    """The image service of the stub, reached by a password."""
    return ecl.connect(**keystone.options()).image


def tokens(stub):
    """Return the token of each request for the image service, in order."""
    return [request.headers.get("x-auth-token") for request in stub.requests if "/v2/" in request.path]


def test_login(stub, keystone, logged_in):
    """The first call logs in, as ECL's Keystone wants it; the second does not."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    logged_in.get_image("abc")
    logged_in.get_image("abc")

    (login,) = keystone.logins
    assert login["auth"]["identity"]["password"]["user"] == {
        "name": "key",
        "password": "top-secret",
        "domain": {"id": "default"},
    }
    assert login["auth"]["scope"] == {"project": {"id": "0" * 32}}
    assert tokens(stub) == ["token-1", "token-1"]


def test_wrong_password(stub, keystone, logged_in):
    """A refused log-in says so, what to check, and which request it was; not what the password was."""
    keystone.refuses = True
    with pytest.raises(exceptions.UnauthorizedException) as caught:
        logged_in.get_image("abc")

    assert "Check user name, password and project" in str(caught.value)
    assert caught.value.url == f"{stub.url}/v3/auth/tokens"
    assert caught.value.request_id == "req-keystone"
    assert "top-secret" not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"


def test_expired_token_is_answered_by_one_login(stub, keystone, logged_in):
    """A 401 in the middle of a listing is answered by one new token, and no image is lost or comes twice."""
    refused = []

    def page(request):
        marker = request.query.get("marker", ["0"])[0]
        if marker == "2" and request.headers["x-auth-token"] == "token-1":
            refused.append(request)
            return Answer(401, b"Authentication required")
        following = {} if marker == "4" else {"next": f"/v2/images?limit=2&marker={int(marker) + 2}"}
        return Answer.json({"images": [{"id": f"{int(marker) + i}"} for i in (1, 2)], **following})

    stub.on("GET", "/v2/images", page)

    assert [image.id for image in logged_in.images(page_size=2)] == ["1", "2", "3", "4", "5", "6"]
    assert len(refused) == 1
    assert len(keystone.logins) == 2


def test_netrc_is_not_read(stub, keystone, logged_in, tmp_path, monkeypatch):
    """A ~/.netrc that names the host adds no password to requests: the token is what the cloud is asked with."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password other-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    logged_in.get_image("abc")

    assert tokens(stub) == ["token-1"]
    assert [request.line for request in stub.requests if "authorization" in request.headers] == []


def test_refused_for_good(stub, keystone, logged_in):
    """A service that answers 401 to a new token as well is not asked a third time."""
    stub.on("GET", "/v2/images/abc", Answer(401, b"Authentication required"))
    with pytest.raises(exceptions.UnauthorizedException, match="Authentication required"):
        logged_in.get_image("abc")

    assert tokens(stub) == ["token-1", "token-2"]


@pytest.mark.parametrize("call", ["upload", "download"])
def test_token_is_renewed_before_a_long_call(call, stub, keystone, logged_in):
    """A token that ends in a few minutes is replaced before data is moved."""
    keystone.lifetime = LONG_CALL - 60
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE if call == "upload" else ACTIVE))
    stub.on("GET", "/v2/images/abc/file", Answer.data(b"abc"))
    stub.on("PUT", "/v2/images/abc/file", Answer(204))
    logged_in.get_image("abc")
    keystone.lifetime = 3600
    stub.on("GET", "/v2/images/abc", *([Answer.json(IMAGE)] if call == "upload" else []), Answer.json(ACTIVE))
    if call == "upload":
        logged_in.upload_image("abc", b"abc", force=True)
    else:
        logged_in.download_image("abc")

    assert tokens(stub)[0] == "token-1"
    assert set(tokens(stub)[1:]) == {"token-2"}


@pytest.mark.parametrize("wrap", [lambda session: session, Adapter])
def test_long_call_is_the_first(wrap, stub, keystone):
    """A session that has not logged in yet does so before a long call, also below an Adapter."""
    session = wrap(KeystoneSession(auth=Password(**keystone.options(user_domain_id="default"))))
    renew_token_before_long_call(session)

    assert len(keystone.logins) == 1


def test_token_that_cannot_be_renewed(stub, keystone):
    """Whoever cannot get a new token goes on with what is left of the present one."""
    keystone.lifetime = LONG_CALL - 60
    conn = ecl.connect(**keystone.options())
    conn.authorize()
    keystone.refuses = True
    renew_token_before_long_call(conn.session)

    assert conn.session.get_token() == "token-1"


def test_token_that_has_ended(stub, keystone):
    """A token that has ended and cannot be renewed is an error before anything is sent."""
    keystone.lifetime = -10
    conn = ecl.connect(**keystone.options())
    conn.authorize()
    keystone.refuses = True
    with pytest.raises(exceptions.UnauthorizedException):
        renew_token_before_long_call(conn.session)


def test_no_login_no_renewal(stub):
    """A session that logs in nowhere has nothing to renew."""
    renew_token_before_long_call(ecl.connect(auth_type="none", endpoint=stub.url).session)
    renew_token_before_long_call(KeystoneSession())

    assert stub.requests == []


# --- https ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/v3", "/v3/"])
def test_https_only_keystone(path, tmp_path):
    """A Keystone that is reached by https but names itself by http in its discovery is logged in to by https."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        keystone = Keystone(stub)
        stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
        options = keystone.options(auth_url=stub.url + path, verify=str(certificate[0]))
        conn = ecl.connect(**options)

        assert conn.image.get_image("abc").id == "abc"
        assert "http://" in stub._script["GET", "/v3"][0].body.decode()
    assert len(keystone.logins) == 1


@pytest.mark.parametrize("path", ["/", "/v3"])
def test_https_links(path, tmp_path):
    """Whoever reads a discovery document that came by https finds no http link of that host in it."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        Keystone(stub)
        document = Session(verify=str(certificate[0])).get(stub.url + path, authenticated=False).json()
    version = document["version"] if path == "/v3" else document["versions"]["values"][0]

    assert version["links"] == [{"rel": "self", "href": stub.url + "/v3/"}]


def test_http_keystone_stays_http(stub, keystone):
    """Links of a Keystone that is reached by http are left alone."""
    conn = ecl.connect(**keystone.options())

    assert conn.authorize() == "token-1"


def test_other_hosts_links_stay(tmp_path):
    """An http link to another host is not touched."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        link = {"rel": "self", "href": "http://elsewhere.example/v3/"}
        document = {"versions": [{"id": "v3", "links": [link, "odd"]}, "odd"]}
        stub.on("GET", "/", Answer.json(document))
        session = Session(verify=str(certificate[0]))

        assert session.get(stub.url + "/", authenticated=False).json() == document


# --- secrets ----------------------------------------------------------------------------------------------


def test_no_secrets_in_the_log(stub, keystone, logged_in, caplog):
    """Neither password nor token reaches the log, not at its most talkative."""
    stub.on("GET", "/v2/images/abc", Answer(401), Answer.json(IMAGE))
    with caplog.at_level(logging.DEBUG):
        logged_in.get_image("abc")

    assert "/v2/images/abc" in caplog.text
    assert "top-secret" not in caplog.text
    assert "token-1" not in caplog.text
    assert "token-2" not in caplog.text


def test_no_secrets_in_errors(stub, keystone, logged_in):
    """Neither password nor token is in what an error shows."""
    stub.on("GET", "/v2/images/abc", Answer(500, b"oops"))
    with pytest.raises(exceptions.ServerException) as caught:
        logged_in.get_image("abc")
    shown = f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.__dict__}"

    assert "token-1" not in shown
    assert "top-secret" not in shown


# --- what is in the way of a log-in -----------------------------------------------------------------------------


@pytest.fixture
def https(tmp_path):
    """A Keystone with an image service whose certificate no one has signed."""
    with HttpStub(make_certificate(tmp_path)) as stub:
        keystone = Keystone(stub)
        stub.on("GET", "/v2/images", Answer.json({"images": []}))
        keystone.certificate = tmp_path / "cert.pem"
        yield keystone


def plain(keystone, **arguments):
    """Return the image service over a plain session of keystoneauth1."""
    auth = Password(user_domain_id="default", **keystone.options())
    return Proxy(KeystoneSession(auth=auth, **arguments))


def ours(keystone, **arguments):
    """Return the image service over a session of ours."""
    return ecl.connect(**keystone.options(), **arguments).image


@pytest.mark.parametrize("connect", [ours, plain])
def test_untrusted_certificate(connect, https):
    """A certificate that is not trusted is named with its host, and with each setting that helps."""
    with pytest.raises(exceptions.ConnectFailure) as caught:
        list(connect(https).images())
    said = str(caught.value)

    assert "The certificate of https://127.0.0.1" in said
    assert all(word in said for word in ("cacert", "OS_CACERT", "--os-cacert", "verify: false", "--insecure"))
    assert "service is up" not in said


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_cacert_is_an_argument(https):
    """connect() with an address takes the certificates to trust as *cacert* or *verify*."""
    for name in ("cacert", "verify"):
        assert list(ours(https, **{name: str(https.certificate)}).images()) == []
    assert list(ours(https, insecure=True).images()) == []


@pytest.mark.parametrize("connect", [ours, plain])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"verify": "/no/such/ca.pem"}, "no CA file /no/such/ca.pem: correct cacert"),
        ({"verify": False, "cert": "/no/such/c.pem"}, "no client certificate /no/such/c.pem: correct cert "),
        ({"verify": False, "cert": (__file__, "/no/such/k.pem")}, "no key .*/no/such/k.pem: correct key "),
    ],
)
def test_file_of_certificates_is_missing(connect, arguments, words, https):
    """A file that is not there is an error of the SDK that names it, and the setting."""
    with pytest.raises(exceptions.ConfigException, match=words):
        list(connect(https, **arguments).images())


def test_file_is_missing_when_a_token_is_asked_for(https):
    """authorize() names the file, too."""
    with pytest.raises(exceptions.ConfigException, match=r"no CA file /no/such/ca\.pem"):
        ecl.connect(**https.options(), cacert="/no/such/ca.pem").authorize()


@pytest.mark.parametrize("path", ["/v3", ""])
@pytest.mark.parametrize("connect", [ours, plain])
def test_portal_instead_of_keystone(connect, path, stub):
    """A web page that answers in the place of Keystone is an error that says to check auth_url."""
    page = Answer(200, b"<html>Welcome", {"Content-Type": "text/html"})
    for method, where in (("GET", path or "/"), ("POST", "/v3/auth/tokens")):
        stub.on(method, where, page)
    keystone = SimpleNamespace(
        options=lambda: {"auth_url": stub.url + path, "username": "u", "password": "p", "project_id": "t"}
    )
    with pytest.raises(exceptions.SDKException, match=r"auth_url.*not a Keystone|not a Keystone.*auth_url") as caught:
        list(connect(keystone).images())
    assert "<html>" not in str(caught.value)


# --- the rest ---------------------------------------------------------------------------------------------


def test_profile_counts_over_what_is_asked():
    """Region, interface and name of the profile count; what it leaves open is the caller's."""
    profile = Profile()
    profile.set_region("image", "jp2")
    profile.set_name("image", "glance")
    asked = {}

    class Auth:
        def get_endpoint(self, session, **kwargs):
            asked.update(kwargs)
            return "http://image"

    session = Session(profile, auth=Auth())
    wanted = {"service_type": "image", "interface": "internal", "region_name": "jp1", "version": "v2"}

    assert session.get_endpoint(**wanted) == "http://image"
    assert asked == {
        "service_type": "image", "interface": "internal", "region_name": "jp2", "service_name": "glance",
    }  # fmt: skip


def test_endpoint_override():
    """A service whose address is given is not looked up."""
    session = Session(endpoint_overrides={"image": "http://image"})

    assert session.get_endpoint(service_type="image") == "http://image"


def test_api_version_header():
    """Microversions of the profile travel in a header."""
    profile = Profile()
    profile.set_api_version("image", "2.9")

    assert Session(profile).additional_headers == {"ecl-api-version": "image 2.9"}
    assert Session().additional_headers == {}


def test_empty_accept(stub):
    """A request without a wish gets JSON, as in eclsdk."""
    stub.on("GET", "/x", Answer.json({}))
    session = Session()
    session.get(stub.url + "/x", authenticated=False)
    session.get(stub.url + "/x", authenticated=False, headers={"Accept": ""})
    session.get(stub.url + "/x", authenticated=False, headers={"Accept": "text/plain"})

    assert [each.headers["accept"] for each in stub.requests] == ["application/json", "application/json", "text/plain"]


def test_session_raises_ours(stub):
    """A session used by itself raises this library's exceptions."""
    stub.on("GET", "/x", Answer.json({"message": "no such thing"}, 404))
    conn = ecl.connect(auth_type="none", endpoint=stub.url)
    with pytest.raises(exceptions.NotFoundException, match="no such thing"):
        conn.session.get(stub.url + "/x")


def test_as_session():
    """A session is taken as it is; of a connection, its session."""
    session = Session()

    assert as_session(session) is session
    assert as_session(ecl.connect(session=session)) is session
    assert Proxy(ecl.connect(session=session)).session is session
