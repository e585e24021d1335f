"""From options to an authentication plugin."""

from __future__ import annotations

import warnings

import pytest
from keystoneauth1 import noauth, token_endpoint
from keystoneauth1.identity import generic, v3
from keystoneauth1.session import Session

from ecl import exceptions
from ecl._auth import make_plugin
from support.http_stub import HttpStub, Keystone

USER = {"auth_url": "http://k", "username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("auth_type", "options", "cls"),
    [
        ("password", USER, generic.Password),
        ("token", {"auth_url": "http://k", "token": "t"}, generic.Token),
        (
            "v3applicationcredential",
            {"auth_url": "http://k", "application_credential_id": "i", "application_credential_secret": "s"},
            v3.ApplicationCredential,
        ),
        ("none", {"endpoint": "http://i"}, noauth.NoAuth),
        ("admin_token", {"endpoint": "http://i", "token": "t"}, token_endpoint.Token),
        ("v3password", {**USER, "user_domain_id": "default"}, v3.Password),
        ("v3token", {"auth_url": "http://k", "token": "t"}, v3.Token),
    ],
)
def test_types(auth_type, options, cls):
    """Each type makes its plugin: those in daily use directly, others by keystoneauth1's loader."""
    assert type(make_plugin(auth_type, options)) is cls


@pytest.mark.parametrize(
    ("auth_type", "options", "missing"),
    [
        ("password", {}, "auth_url, password, username"),
        ("password", {**USER, "password": ""}, "password"),
        ("password", {"auth_url": "http://k", "password": "p"}, "username"),
        ("token", {"auth_url": "http://k"}, "token"),
        ("v3applicationcredential", {"auth_url": "http://k"}, "application_credential_secret"),
        ("none", {}, "endpoint"),
        ("admin_token", {"endpoint": "e", "token": None}, "token"),
        ("v3password", {"username": "u", "user_domain_id": "d", "password": "p"}, "auth_url"),
    ],
)
def test_missing_options(auth_type, options, missing):
    """What a type needs and does not have is named, with the variables that give it."""
    with pytest.raises(exceptions.ConfigException, match=f"'{auth_type}' needs .*{missing}.*OS_"):
        make_plugin(auth_type, options)


def test_user_by_id():
    """A user may be given by ID."""
    assert login(user_id="u", password="p")["identity"]["password"]["user"] == {"id": "u", "password": "p"}


@pytest.mark.parametrize(("name", "nearest"), [("pasword", "'password'"), ("v3pasword", "'v3password'")])
def test_unknown_type(name, nearest):
    """A type with a slip gets the nearest one."""
    with pytest.raises(exceptions.ConfigException, match=f"no authentication type '{name}'; did you mean {nearest}"):
        make_plugin(name, USER)


def test_unknown_type_far_from_any():
    """A type like no other gets the list."""
    with pytest.raises(exceptions.ConfigException, match=r"known are: .*admin_token.*password"):
        make_plugin("zzzzzzzzzzz", USER)


def test_aliases():
    """Older names of options are understood."""
    sent = login(user="u", password="p", tenant_id="t")

    assert sent["identity"]["password"]["user"]["name"] == "u"
    assert sent["scope"]["project"] == {"id": "t"}
    assert make_plugin("none", {"url": "http://i"}).endpoint == "http://i"


def login(**options):
    """Log in with *options* at a stub; return what was sent."""
    with HttpStub() as stub:
        keystone = Keystone(stub)
        plugin = make_plugin(options.pop("auth_type", "password"), {"auth_url": stub.url + "/v3/", **options})
        plugin.get_token(Session())
    return keystone.logins[0]["auth"]


@pytest.mark.parametrize(
    ("options", "of_user", "of_project"),
    [
        ({}, {"id": "default"}, {"id": "default"}),
        ({"default_domain_id": "d"}, {"id": "d"}, {"id": "d"}),
        ({"default_domain_name": "D"}, {"name": "D"}, {"name": "D"}),
        ({"user_domain_name": "corp"}, {"name": "corp"}, {"id": "default"}),
        ({"user_domain_id": "c"}, {"id": "c"}, {"id": "default"}),
        ({"project_domain_name": "corp"}, {"id": "default"}, {"name": "corp"}),
        ({"project_domain_id": "c"}, {"id": "default"}, {"id": "c"}),
        ({"user_domain_name": "corp", "project_domain_name": "labs"}, {"name": "corp"}, {"name": "labs"}),
        ({"user_domain_name": "corp", "project_domain_id": "l"}, {"name": "corp"}, {"id": "l"}),
        ({"user_domain_name": "corp", "default_domain_id": "d"}, {"name": "corp"}, {"id": "d"}),
        ({"project_domain_id": "c", "default_domain_name": "D"}, {"name": "D"}, {"id": "c"}),
    ],
)
def test_domains(options, of_user, of_project):
    """The default domain goes to the user and to the project, each only if it has no domain of its own."""
    sent = login(username="u", password="p", project_name="p", **options)

    assert sent["identity"]["password"]["user"]["domain"] == of_user
    assert sent["scope"]["project"]["domain"] == of_project


@pytest.mark.parametrize(
    ("options", "of_project"), [({}, {"id": "default"}), ({"project_domain_name": "corp"}, {"name": "corp"})]
)
def test_domain_of_a_token(options, of_project):
    """With a token only the project can have a domain."""
    sent = login(auth_type="token", token="t", project_name="p", **options)

    assert sent["scope"]["project"]["domain"] == of_project


@pytest.mark.parametrize(
    ("options", "user"),
    [
        ({"username": "u"}, {"name": "u", "domain": {"id": "default"}}),
        ({"username": "u", "user_domain_name": "corp"}, {"name": "u", "domain": {"name": "corp"}}),
        ({"username": "u", "user_domain_id": "c"}, {"name": "u", "domain": {"id": "c"}}),
        ({"user_id": "i"}, {"id": "i"}),
    ],
)
def test_domain_of_an_application_credential(options, user):
    """An application credential by name belongs to a user, who has the domain that is given."""
    sent = login(
        auth_type="v3applicationcredential",
        application_credential_name="ci",
        application_credential_secret="s",
        **options,
    )

    assert sent["identity"]["application_credential"]["user"] == user


@pytest.mark.parametrize("auth_type", ["password", "v3password"])
def test_unknown_option(auth_type):
    """An option that the type does not know is left out, and said so, with the nearest; its value is not."""
    with pytest.warns(UserWarning, match="no option 'pasword', it is left out; did you mean 'password'") as caught:
        make_plugin(auth_type, {**USER, "user_domain_id": "default", "pasword": "hunter2"})

    assert "hunter2" not in str(caught[0].message)


def test_known_options_do_not_warn():
    """Nothing is said where there is nothing to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_plugin("password", {**USER, "project_name": "p", "project_domain_name": "d", "user_domain_name": "d"})


@pytest.mark.parametrize(
    ("auth_type", "options", "name"),
    [
        ("password", {**USER, "auth_url": "keystone.example.com:5000/v3"}, "auth_url 'keystone.example.com:5000/v3'"),
        ("v3password", {**USER, "auth_url": "keystone/v3", "user_domain_id": "d"}, "auth_url 'keystone/v3'"),
        ("none", {"endpoint": "image.example.com"}, "endpoint 'image.example.com'"),
    ],
)
def test_address_without_scheme(auth_type, options, name):
    """An address without a scheme is named, with what to put in front."""
    with pytest.raises(exceptions.ConfigException, match=f"{name} has no scheme: write it with https://"):
        make_plugin(auth_type, options)


def test_many_unknown_options_are_one_line():
    """However many options are unknown, one warning names them all."""
    with pytest.warns(UserWarning, match="no options 'colour', 'shape': they are left out") as caught:
        make_plugin("password", {**USER, "shape": 1, "colour": 2})

    assert len(caught) == 1


def test_methods_of_multifactor_are_missing():
    """Without its methods, multi-factor asks for them."""
    with pytest.raises(exceptions.ConfigException, match=r"'v3multifactor' needs auth_methods.*OS_AUTH_METHODS"):
        make_plugin("v3multifactor", {**USER, "user_domain_id": "d"})
