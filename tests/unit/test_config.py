"""Which cloud: files, variables, arguments."""

from __future__ import annotations

import json
import os
import warnings

import pytest

from ecl import config, exceptions

CLOUDS = """
clouds:
  jp1:
    region_name: jp1
    auth:
      auth_url: https://keystone-jp1/v3/
      username: key
      password: from-clouds
      project_id: abc
  "jp2":
    regions: [jp2, jp3]
    auth: {auth_url: "https://keystone-jp2/v3/"}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test is in an empty folder."""
    monkeypatch.chdir(tmp_path)


def write(path, text=CLOUDS):
    """Write a file, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_cloud(tmp_path):
    """A cloud of clouds.yaml has what the file says of it."""
    write(tmp_path / "clouds.yaml")
    cloud = config.load("jp1", environ={})

    assert cloud == config.CloudConfig(
        name="jp1",
        auth={
            "auth_url": "https://keystone-jp1/v3/",
            "username": "key",
            "password": "from-clouds",
            "project_id": "abc",
        },
        region_name="jp1",
    )
    assert config.cloud_names({}) == ["jp1", "jp2"]


def test_search_order(tmp_path, monkeypatch):
    """The file here counts over the user's, ECL's name over OpenStack's, .yaml over .yml over .json."""
    user = tmp_path / "config"
    places = [
        tmp_path / "clouds.yaml", tmp_path / "clouds.yml", tmp_path / "clouds.json",
        user / "ecl" / "clouds.yaml", user / "ecl" / "clouds.json",
        user / "openstack" / "clouds.yaml", user / "openstack" / "clouds.yml",
    ]  # fmt: skip
    for place in places:
        write(place, json.dumps({"clouds": {str(place): {"auth": {}}}}))
    env = {"XDG_CONFIG_HOME": str(user)}

    for place in places:
        assert config.cloud_names(env) == [str(place)]
        place.unlink()
    assert config.cloud_names(env) == []


def test_home(home):
    """Without XDG_CONFIG_HOME the user's folder is ~/.config."""
    write(home / ".config" / "openstack" / "clouds.yaml")

    assert config.cloud_names(dict(os.environ)) == ["jp1", "jp2"]


def test_file_named_by_a_variable(tmp_path):
    """OS_CLIENT_CONFIG_FILE names the file, wherever it is."""
    path = write(tmp_path / "elsewhere" / "mine.yaml")

    assert config.load("jp1", environ={"OS_CLIENT_CONFIG_FILE": str(path)}).name == "jp1"


@pytest.mark.parametrize("variable", ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"])
def test_named_file_is_missing(variable):
    """A file that a variable names and that is not there is an error, not silence."""
    with pytest.raises(exceptions.ConfigException, match=f"{variable} names /no/such.yaml"):
        config.load("jp1", environ={variable: "/no/such.yaml"})


@pytest.mark.parametrize("variable", ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"])
def test_named_file_is_a_folder(variable, tmp_path):
    """A folder that a variable names is an error that says so."""
    with pytest.raises(exceptions.ConfigException, match=f"{variable} names {tmp_path}, which is a folder"):
        config.load("jp1", environ={variable: str(tmp_path)})


def test_named_file_is_empty(tmp_path):
    """Where the file that a variable names is empty, the error says to write there, and nowhere else."""
    path = write(tmp_path / "mine.yaml", "")
    for name in ("jp1", None):
        with pytest.raises(exceptions.ConfigException) as caught:
            config.load(name, environ={"OS_CLIENT_CONFIG_FILE": str(path)})
        assert f"{path}, which OS_CLIENT_CONFIG_FILE names, has no clouds; write one under 'clouds'" in str(
            caught.value
        )
        assert "write a clouds.yaml into" not in str(caught.value)


def test_variables_of_other_tools_are_left_out_quietly():
    """What an openrc has for other services is no option of the log-in, and nothing is said of it."""
    names = ("NO_CACHE", "CLOUDNAME", "NETWORK_API_VERSION", "MANILA_ENDPOINT_TYPE", "AUTH_VERSION", "IMAGE_FORMAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cloud = config.load(environ={"OS_AUTH_URL": "http://k", **{f"OS_{name}": "x" for name in names}})

    assert cloud.auth == {"auth_url": "http://k"}


def test_variables_that_no_tool_has_are_one_line():
    """Unknown variables are named on one line, with the nearest; their values are not."""
    with pytest.warns(UserWarning, match=r"ignored: OS_FOO, OS_PASWORD \(did you mean OS_PASSWORD\?\)") as caught:
        cloud = config.load(environ={"OS_AUTH_URL": "http://k", "OS_PASWORD": "hunter2", "OS_FOO": "1"})

    assert len(caught) == 1
    assert "hunter2" not in str(caught[0].message)
    assert cloud.auth == {"auth_url": "http://k"}


def test_variables_count(tmp_path):
    """With *variables_count*, OS_* variables count over the cloud that OS_CLOUD names, not over one that is named."""
    write(tmp_path / "clouds.yaml")
    environ = {"OS_CLOUD": "jp1", "OS_USERNAME": "me", "OS_INTERFACE": "internal", "OS_FOO": "1", "OS_TENANT_ID": "t"}
    first = config.load(environ=environ, variables_count=True)
    second = config.load("jp1", environ=environ, variables_count=True)

    assert (first.auth["username"], first.auth["project_id"], first.interface) == ("me", "t", "internal")
    assert (second.auth["username"], second.auth["project_id"], second.interface) == ("key", "abc", None)
    assert first.auth.keys() == {"auth_url", "username", "password", "project_id"}
    assert config.load(environ=environ).auth["username"] == "key"


def test_shipped_profiles_need_no_import(tmp_path, monkeypatch):
    """A profile that openstacksdk ships is read from its folder; openstacksdk is not imported for it."""
    write(tmp_path / "site" / "openstack" / "__init__.py", "raise RuntimeError('imported')")
    vendors = tmp_path / "site" / "openstack" / "config" / "vendors"
    write(vendors / "acme.json", json.dumps({"name": "acme", "profile": {"auth": {"auth_url": "http://acme"}}}))
    write(vendors / "gone.json", json.dumps({"name": "gone", "profile": {"status": "shutdown", "message": "Bye."}}))
    write(vendors / "far.yaml", "{name: far, profile: {profile: 'https://far.example.com'}}")
    write(vendors / "other.yaml", "{name: another-name, profile: {region_name: r}}")
    write(
        tmp_path / "clouds.yaml",
        "clouds: {a: {profile: acme}, b: {profile: gone}, c: {profile: far}, d: {profile: 'https://x.example.com'},"
        " e: {profile: another-name}}",
    )
    monkeypatch.syspath_prepend(tmp_path / "site")

    assert config.load("a", environ={}).auth == {"auth_url": "http://acme"}
    assert config.load("e", environ={}, overrides={"auth_url": "http://k"}).region_name == "r"
    for name, words in (("b", "shut down. Bye"), ("c", "far.example.com, and profiles are not"), ("d", "not fetched")):
        with pytest.raises(exceptions.ConfigException, match=words):
            config.load(name, environ={})


def test_secure_file(tmp_path):
    """secure.yaml is laid over clouds.yaml, key by key."""
    write(tmp_path / "clouds.yaml")
    write(tmp_path / "secure.yaml", "clouds: {jp1: {auth: {password: from-secure}}, jp9: {region_name: jp9}}")
    cloud = config.load("jp1", environ={})

    assert cloud.auth["password"] == "from-secure"
    assert cloud.auth["username"] == "key"
    assert config.cloud_names({}) == ["jp1", "jp2", "jp9"]


def test_variables():
    """OS_* variables describe a cloud, under their old names as well."""
    cloud = config.load(
        environ={
            "OS_AUTH_URL": "https://k/v3", "OS_USERNAME": "key", "OS_PASSWORD": "p", "OS_TENANT_ID": "abc",
            "OS_USER_DOMAIN_ID": "default", "OS_REGION_NAME": "jp4", "OS_CACERT": "~/ca.pem",
            "OS_INTERFACE": "internal",
            "OS_IMAGE_ENDPOINT_OVERRIDE": "https://image", "OS_IDENTITY_API_VERSION": "3", "OS_EMPTY": "", "HOME": "/",
        }
    )  # fmt: skip

    assert cloud == config.CloudConfig(
        name="envvars",
        auth={
            "auth_url": "https://k/v3", "username": "key", "password": "p", "project_id": "abc",
            "user_domain_id": "default",
        },
        region_name="jp4",
        interface="internal",
        verify=os.path.expanduser("~/ca.pem"),
        image_endpoint_override="https://image",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environ", "verify"),
    [
        ({}, True),
        ({"OS_INSECURE": "true"}, False),
        ({"OS_INSECURE": "1", "OS_CACERT": "/ca"}, False),
        ({"OS_INSECURE": "false"}, True),
        ({"OS_CACERT": "/ca"}, "/ca"),
    ],
)
def test_insecure(environ, verify):
    """OS_INSECURE turns verification off, and OS_CACERT says against what to verify."""
    assert config.load(environ={"OS_AUTH_URL": "x", **environ}).verify == verify


@pytest.mark.parametrize(
    ("entry", "verify"),
    [
        ("verify: false", False),
        ("verify: 'no'", False),
        ("verify: true", True),
        ("verify: ", True),
        ("verify: /own/ca.pem", "/own/ca.pem"),
        ("cacert: /ca.pem", "/ca.pem"),
        ("insecure: true", False),
        ("auth: {cacert: /ca.pem}", "/ca.pem"),
    ],
)
def test_verify(entry, verify, tmp_path):
    """A path under *verify* is a CA to trust; it never turns verification off."""
    write(tmp_path / "clouds.yaml", f"clouds: {{a: {{{entry}}}}}")

    assert config.load("a", environ={}).verify == verify


def test_which_cloud(tmp_path):
    """Without a name: OS_CLOUD, else the variables, else the only cloud there is; else a question."""
    write(tmp_path / "clouds.yaml")

    assert config.load(environ={"OS_CLOUD": "jp2", "OS_AUTH_URL": "x"}).name == "jp2"
    assert config.load(environ={"OS_AUTH_URL": "x"}).name == "envvars"
    with pytest.raises(exceptions.ConfigException, match=r"Which cloud.*OS_CLOUD: jp1, jp2"):
        config.load(environ={})
    write(tmp_path / "clouds.yaml", "clouds: {only: {region_name: r}}")
    assert config.load(environ={}).name == "only"
    assert config.load("envvars", environ={"OS_AUTH_URL": "x"}).name == "envvars"


def test_regions(tmp_path):
    """The region: the argument, else OS_REGION_NAME for a cloud that OS_CLOUD named, else the file's first."""
    write(tmp_path / "clouds.yaml")

    assert config.load("jp2", environ={}).region_name == "jp2"
    assert config.load("jp2", region_name="jp3", environ={"OS_REGION_NAME": "jp4"}).region_name == "jp3"
    assert config.load("jp2", environ={"OS_REGION_NAME": "jp4"}).region_name == "jp2"
    assert config.load(environ={"OS_CLOUD": "jp2", "OS_REGION_NAME": "jp3"}).region_name == "jp3"
    assert config.load("jp1", region_name="jp5", environ={}).region_name == "jp5"
    write(tmp_path / "clouds.yaml", "clouds: {a: {regions: [{name: x, values: {}}]}, b: {}, c: {regions: []}}")
    assert [config.load(name, environ={}).region_name for name in "abc"] == ["x", None, None]


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [({"cloud": "jp2", "region_name": "mars"}, {}), ({}, {"OS_CLOUD": "jp2", "OS_REGION_NAME": "mars"})],
)
def test_unknown_region(arguments, environ, tmp_path):
    """A region that is not in the cloud's list is refused, and the list is shown."""
    write(tmp_path / "clouds.yaml")
    with pytest.raises(exceptions.ConfigException, match="'jp2' has no region 'mars'; its regions are: jp2, jp3"):
        config.load(**arguments, environ=environ)


@pytest.mark.parametrize(
    "entry", ["region_name: {a: b}", "regions: [{values: {}}]", "regions: [{name: a, values: b}]", "regions: [[a]]"]
)
def test_region_is_no_text(entry, tmp_path):
    """A region that is no text is refused."""
    write(tmp_path / "clouds.yaml", f"clouds: {{a: {{{entry}}}}}")
    with pytest.raises(exceptions.ConfigException, match="region must be text"):
        config.load("a", environ={})


def test_overrides(tmp_path):
    """Arguments count over the file; those that are no settings are options of the log-in."""
    write(tmp_path / "clouds.yaml")
    cloud = config.load(
        "jp1", environ={}, overrides={"password": "mine", "verify": "/ca", "api_timeout": 5, "cert": None}
    )

    assert cloud.auth["password"] == "mine"
    assert cloud.verify == "/ca"
    assert cloud.timeout == 5.0


@pytest.mark.parametrize(
    ("written", "overrides", "verify"),
    [
        ("cacert: /ca", {"verify": True}, "/ca"),
        ("cacert: /ca", {"insecure": "false"}, "/ca"),
        ("cacert: /ca", {"verify": "/own"}, "/own"),
        ("cacert: /ca", {"cacert": "/own"}, "/own"),
        ("cacert: /ca", {"insecure": True}, False),
        ("verify: false", {"cacert": "/own"}, False),
        ("verify: false", {"verify": True, "cacert": "/own"}, "/own"),
        ("insecure: true", {"verify": True}, True),
    ],
)
def test_overrides_of_verification(written, overrides, verify, tmp_path):
    """An argument replaces what it is about: whether to verify, or against what."""
    write(tmp_path / "clouds.yaml", f"clouds: {{a: {{{written}}}}}")

    assert config.load("a", environ={}, overrides=overrides).verify == verify


def test_all_settings(tmp_path):
    """Each setting of a cloud has its place."""
    write(
        tmp_path / "clouds.yaml",
        "clouds: {a: {auth_type: token, interface: admin, cert: /c, key: /k, api_timeout: '7',"
        " image_endpoint_override: http://i, image_service_name: glance, auth: {auth-url: http://k, token: t}}}",
    )

    assert config.load("a", environ={}) == config.CloudConfig(
        name="a", auth_type="token", auth={"auth_url": "http://k", "token": "t"}, interface="admin",
        cert=("/c", "/k"), timeout=7.0, image_endpoint_override="http://i", image_service_name="glance",
    )  # fmt: skip


def test_no_such_cloud(tmp_path):
    """A name with a slip gets the nearest one; another, all there are; without a file, where to write it."""
    with pytest.raises(exceptions.ConfigException, match=r"no cloud 'jp1': write a clouds.yaml into "):
        config.load("jp1", environ={})
    write(tmp_path / "clouds.yaml")
    with pytest.raises(exceptions.ConfigException, match=r"no cloud 'pj1' in clouds.yaml; did you mean 'jp1'"):
        config.load("pj1", environ={})
    with pytest.raises(exceptions.ConfigException, match="the file has jp1, jp2"):
        config.load("production", environ={})


def test_nothing_is_configured():
    """With neither file nor variables the error says what to write or to set."""
    with pytest.raises(exceptions.ConfigException, match=r"No cloud is configured.*clouds.yaml.*OS_AUTH_URL"):
        config.load(environ={})


@pytest.mark.parametrize("key", ["profile", "cloud"])
def test_unknown_profile(key, tmp_path):
    """Without the vendor profile that it names, a cloud is what the file says; if that has no address, an error."""
    write(
        tmp_path / "clouds.yaml",
        f"clouds: {{a: {{{key}: nosuch}}, b: {{{key}: nosuch, auth: {{auth_url: http://k}}}}}}",
    )
    with pytest.raises(exceptions.ConfigException, match=r"'a': there is no vendor profile 'nosuch'.*write auth_url"):
        config.load("a", environ={})
    with pytest.warns(UserWarning, match="'b': there is no vendor profile 'nosuch'"):
        assert config.load("b", environ={}).auth == {"auth_url": "http://k"}


@pytest.mark.parametrize(
    "text",
    [
        "clouds:\n  a:\n    auth:\n      password: hunter2: hunter2\n",
        "clouds:\n  a: {auth: {password: !hunter2 x}}\n",
        "clouds:\n  a: {auth: {password: *hunter2}}\n",
        "clouds:\n  a: {auth: {password: 'hunter2}}\n",
        "clouds:\n  a: {auth: {password: %hunter2}}\n",
        "clouds:\n  a: {auth: {password: hunter2\n",
        "clouds: [hunter2]\n",
        "clouds: {a: hunter2}\n",
        "hunter2",
        "- hunter2",
        "a: \x00hunter2",
    ],
)
def test_malformed_file(text, tmp_path):
    """A file that cannot be used is named, with the line; what is in it is not repeated."""
    path = write(tmp_path / "clouds.yaml", text)
    with pytest.raises(exceptions.ConfigException) as caught:
        config.load("a", environ={"OS_CLIENT_CONFIG_FILE": str(path)})

    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value).replace(str(path), "")
    assert caught.value.__cause__ is None


def test_empty_file(tmp_path):
    """An empty file has no clouds."""
    write(tmp_path / "clouds.yaml", "# later\n")

    assert config.cloud_names({}) == []


def test_auth_is_no_mapping(tmp_path):
    """*auth* must be a mapping."""
    write(tmp_path / "clouds.yaml", "clouds: {a: {auth: [x]}}")
    with pytest.raises(exceptions.ConfigException, match="'auth' must be a mapping, not list"):
        config.load("a", environ={})


def test_secrets_are_not_shown(tmp_path):
    """A configuration that is printed shows no option of the log-in."""
    write(tmp_path / "clouds.yaml")
    cloud = config.load("jp1", environ={})

    assert "from-clouds" not in f"{cloud} {cloud!r}"


def test_real_environment(monkeypatch):
    """Without *environ* the process's own environment counts."""
    monkeypatch.setenv("OS_AUTH_URL", "https://from-env")

    assert config.load().auth == {"auth_url": "https://from-env"}
