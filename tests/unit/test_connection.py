"""The ways in."""

from __future__ import annotations

import argparse
import inspect
import logging
import socket
from types import SimpleNamespace

import pytest
from keystoneauth1.identity.generic import Password
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import exceptions
from ecl.config import CloudConfig
from ecl.connection import Connection, from_config
from ecl.profile import Profile
from ecl.session import Session
from ecl.utils import enable_logging
from support.http_stub import Answer, Keystone

PASSWORD = {"auth_url": "http://k/v3", "username": "u", "password": "p", "project_id": "t"}


@pytest.fixture(autouse=True)
def clouds(tmp_path, monkeypatch):
    """Two clouds in the clouds.yaml of the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clouds.yaml").write_text(
        "clouds:\n"
        "  first: {region_name: jp1, interface: internal, api_timeout: 9, cacert: /ca, image_service_name: glance,"
        " auth: {auth_url: http://k/v3, username: u, password: p, project_id: t}}\n"
        "  second: {region_name: jp2, auth_type: none, image_endpoint_override: http://i/v2, auth: {endpoint: http://e}}\n"
    )


def test_arguments():
    """A connection is made of authentication options, or of a plugin, or of a session."""
    conn = Connection(**PASSWORD)
    assert isinstance(conn.authenticator, Password)
    assert isinstance(conn.session, Session)
    assert conn.session.auth is conn.authenticator
    assert conn.session.profile is conn.profile

    plugin = NoAuth(endpoint="http://i")
    assert Connection(authenticator=plugin).session.auth is plugin

    session = KeystoneSession()
    assert Connection(session=session).session is session
    assert Connection(session).image.session is session


def test_all_arguments():
    """Every argument of eclsdk's Connection has its effect."""
    profile = Profile()
    conn = Connection(
        None, None, profile, "/ca", ("/c", "/k"), "app/1", "token", 5, auth_url="http://k", token="t", project_id="p"
    )

    assert conn.profile is profile
    assert (conn.session.verify, conn.session.cert, conn.session.timeout) == ("/ca", ("/c", "/k"), 5.0)
    assert conn.session.user_agent.startswith("app/1 ecl-image/")
    assert type(conn.authenticator).__name__ == "Token"


def test_missing_and_unknown_arguments():
    """What the log-in needs is asked for at once; what it does not know is said."""
    with pytest.raises(exceptions.ConfigException, match="needs auth_url, password, username"):
        Connection()
    with pytest.warns(UserWarning, match="no option 'projectid'.*'project_id'"):
        Connection(**PASSWORD, projectid="x")


def test_region_name():
    """*region_name* is a preference for every service, and changes no profile that others use."""
    profile = Profile()
    conn = Connection(profile=profile, region_name="jp2", **PASSWORD)

    assert {service.region for service in conn.profile.get_services()} == {"jp2"}
    assert {service.region for service in profile.get_services()} == {None}


def test_nothing_is_sent_before_it_must(stub):
    """A connection and its services are made without a word to anybody."""
    _ = ecl.connect(**Keystone(stub).options()).image.images()

    assert stub.requests == []


def test_image_is_made_once():
    """The image service of a connection is one object."""
    conn = Connection(**PASSWORD)

    assert conn.image is conn.image


def test_authorize(stub):
    """authorize() logs in and returns the token."""
    assert ecl.connect(**Keystone(stub).options()).authorize() == "token-1"


def test_authorize_fails(stub):
    """authorize() raises what a call would raise."""
    keystone = Keystone(stub)
    keystone.refuses = True
    with pytest.raises(exceptions.UnauthorizedException):
        ecl.connect(**keystone.options()).authorize()


def test_connect_to_a_cloud():
    """connect(NAME) takes everything from clouds.yaml."""
    conn = ecl.connect("first")
    image = conn.profile.get_filter("image")

    assert (image.region, image.interface, image.service_name) == ("jp1", "internal", "glance")
    assert (conn.session.timeout, conn.session.verify) == (9.0, "/ca")
    assert ecl.connect("second").session.get_endpoint(service_type="image") == "http://i/v2"


def test_connect_with_more():
    """Arguments of connect() count over the cloud's."""
    conn = ecl.connect("first", region_name="jp3", timeout=3, user_agent="a", verify=False, username="me")

    assert conn.profile.get_filter("image").region == "jp3"
    assert (conn.session.timeout, conn.session.verify) == (3.0, False)
    assert conn.authenticator._username == "me"
    assert ecl.connect("first", verify="/own").session.verify == "/own"
    assert ecl.connect("first", cert=("/c", "/k")).session.cert == ("/c", "/k")
    overridden = ecl.connect("first", endpoint_overrides={"image": "http://o"})
    assert overridden.session.get_endpoint(service_type="image") == "http://o"
    assert type(
        ecl.connect("first", auth_plugin="token", token="t", username="", password="").authenticator
    ).__name__ == ("Token")


def test_connect_keeps_profiles_apart():
    """A profile that is given to several connections is changed by none of them."""
    profile = Profile()
    first = ecl.connect("first", profile=profile)
    second = ecl.connect("second", profile=profile)

    assert [conn.profile.get_filter("image").region for conn in (first, second)] == ["jp1", "jp2"]
    assert profile.get_filter("image").region is None


def test_connect_by_arguments(monkeypatch):
    """Given an address, neither file nor variable is read."""
    monkeypatch.setenv("OS_CLOUD", "no-such")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/no/such/file")

    assert ecl.connect(**PASSWORD).authenticator._password == "p"
    assert ecl.connect(auth_type="none", endpoint="http://i").session.get_endpoint() == "http://i"
    assert ecl.connect(session=(session := KeystoneSession())).session is session


@pytest.mark.parametrize(
    ("argument", "scope"),
    [
        ({"project_name": "web"}, {"name": "web", "domain": {"id": "default"}}),
        ({"project_name": "web", "project_domain_name": "Corp"}, {"name": "web", "domain": {"name": "Corp"}}),
        ({"tenant_name": "web"}, {"name": "web", "domain": {"id": "default"}}),
        ({"project_id": "p2"}, {"id": "p2"}),
        ({"project_name": ""}, {"id": "p1"}),
    ],
)
def test_a_project_by_argument_is_the_project(argument, scope, stub, tmp_path, monkeypatch):
    """A project that an argument names is logged in to, in whatever form the file names another one."""
    keystone = Keystone(stub)
    (tmp_path / "clouds.yaml").write_text(
        f"clouds: {{a: {{auth: {{auth_url: '{stub.url}/v3/', username: u, password: p, project_id: p1}}}}}}"
    )
    monkeypatch.chdir(tmp_path)
    ecl.connect("a", **argument).authorize()

    assert keystone.logins[-1]["auth"]["scope"]["project"] == scope


def test_an_api_timeout_by_argument_is_the_timeout(tmp_path, monkeypatch):
    """A timeout that an argument gives counts over that of a service in the file, and over the file's own."""
    (tmp_path / "clouds.yaml").write_text(
        "clouds: {a: {auth_type: none, endpoint: 'http://127.0.0.1:9', image_timeout: 60, api_timeout: 50}}"
    )
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        conn = ecl.connect("a", api_timeout=0.05, endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(exceptions.ConnectFailure, match="no answer in time"):
            conn.image.get_image("abc")


def test_connect_by_variables(monkeypatch):
    """connect() alone takes what the variables describe."""
    for name, value in PASSWORD.items():
        monkeypatch.setenv(f"OS_{name.upper()}", value)

    assert ecl.connect().authenticator._username == "u"
    monkeypatch.setenv("OS_CLOUD", "second")
    assert ecl.connect().profile.get_filter("image").region == "jp2"


def test_from_config():
    """from_config() takes a name, argparse options, or what another library has read."""
    assert from_config("first").profile.get_filter("image").region == "jp1"
    assert from_config(cloud_name="second").profile.get_filter("image").region == "jp2"

    options = argparse.Namespace(cloud="first", region_name="jp7")
    assert from_config(options=options).profile.get_filter("image").region == "jp7"
    options = argparse.Namespace(os_cloud="second", os_region_name=None)
    assert from_config(options=options).profile.get_filter("image").region == "jp2"

    ready = CloudConfig("c", auth_type="none", auth={"endpoint": "http://i"}, region_name="jp9")
    assert from_config(cloud_config=ready).profile.get_filter("image").region == "jp9"
    assert from_config(cloud_config=ready, region_name="jp8").profile.get_filter("image").region == "jp8"


def test_from_foreign_config():
    """The cloud object of another library is read by its mapping; its vendor profile has been filled in already."""
    foreign = SimpleNamespace(
        name="theirs",
        region_name="jp4",
        config={
            "profile": "vendor", "auth_type": "password", "auth": PASSWORD, "verify": True, "cacert": None,
            "interface": "public", "cert": "/c", "key": "/k",
        },
    )  # fmt: skip
    conn = from_config(cloud_config=foreign)

    assert conn.authenticator._project_id == "t"
    assert (conn.session.verify, conn.session.cert) == (True, ("/c", "/k"))
    assert conn.profile.get_filter("image").region == "jp4"


def test_no_log_handlers():
    """Importing and connecting sends no log anywhere."""
    assert ecl.connect(**PASSWORD).image is not None
    assert logging.getLogger("ecl").handlers == []
    assert logging.getLogger("ecl.connection").handlers == []


@pytest.fixture
def own_loggers():
    """Loggers are as they were, after the test."""
    loggers = [logging.getLogger(name) for name in ("ecl", "keystoneauth")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield loggers
    for logger, level, handlers in before:
        for handler in set(logger.handlers) - set(handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(level)


def test_enable_logging(own_loggers, stub, tmp_path, capsys):
    """enable_logging() sends the log to a file and a stream; requests at debug level, tokens masked."""
    import sys

    keystone = Keystone(stub)
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc"}))
    enable_logging(debug=True, path=str(tmp_path / "log"), stream=sys.stderr)
    ecl.connect(**keystone.options()).image.get_image("abc")
    written = (tmp_path / "log").read_text()

    assert "/v2/images/abc" in written
    assert "token-1" not in written
    assert "top-secret" not in written
    assert capsys.readouterr().err == written


def test_enable_logging_quietly(own_loggers, tmp_path):
    """Without debug only warnings are logged."""
    enable_logging(path=str(tmp_path / "log"))

    assert {logger.level for logger in own_loggers} == {logging.WARNING}


def test_enable_logging_nowhere():
    """enable_logging() needs a place, and says so as a ValueError, too."""
    with pytest.raises(ValueError, match="needs a path, a stream, or both"):
        enable_logging()


def test_signature_of_connect():
    """connect() names what is special about it."""
    assert list(inspect.signature(ecl.connect).parameters) == ["cloud", "region_name", "profile", "args"]
