"""Settings: where they come from, and how wrong ones are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecl.server.settings.keystone import service_password, v3_url
from ecl.server.settings.load import SettingsError, default_data_dir, load_settings
from ecl.server.settings.model import KeystoneSettings, RegionSettings, Settings


def test_defaults(home):
    """Without any setting the service is for this machine alone, in the user's data folder, with two regions."""
    settings = load_settings(environ={})

    assert settings == Settings(data_dir=default_data_dir())
    assert settings.data_dir.is_relative_to(home)
    assert (settings.host, settings.port) == ("127.0.0.1", 9292)
    assert [region.name for region in settings.regions] == ["jp1", "jp2"]


def test_file(tmp_path):
    """A TOML file sets anything; its relative paths begin in its own folder."""
    config = tmp_path / "service.toml"
    config.write_text(
        'port = 9000\ndata_dir = "data"\ntls_cert = "a.pem"\ntls_key = "/etc/b.pem"\n'
        "[limits]\nimage_size_cap = 1000\n"
        '[[regions]]\nname = "east"\nlicense_switch_types = ["A", "B"]\nstore_dir = "bytes"\n'
    )
    settings = load_settings(config, environ={})

    assert settings.port == 9000
    assert settings.data_dir == tmp_path / "data"
    assert (settings.tls_cert, settings.tls_key) == (tmp_path / "a.pem", Path("/etc/b.pem"))
    assert settings.limits.image_size_cap == 1000
    assert settings.regions == (RegionSettings("east", license_switch_types=("A", "B"), store_dir=tmp_path / "bytes"),)


def test_environment():
    """Each setting has a variable; numbers and booleans are written as text."""
    settings = load_settings(
        environ={
            "ECL_SERVE_DATA_DIR": "/srv/ecl",
            "ECL_SERVE_PORT": "0",
            "ECL_SERVE_ACCESS_LOG": "true",
            "ECL_SERVE_LIMITS_API_LIMIT_MAX": "10",
            "ECL_SERVE_REGIONS": "east, west",
            "OTHER": "x",
        }
    )

    assert settings.data_dir == Path("/srv/ecl")
    assert settings.port == 0
    assert settings.access_log is True
    assert settings.limits.api_limit_max == 10
    assert [region.name for region in settings.regions] == ["east", "west"]


def test_order(tmp_path):
    """A variable wins over the file, a flag over both; a flag that was not given (None) over nothing."""
    config = tmp_path / "service.toml"
    config.write_text('host = "::1"\nport = 1\ntoken_lifetime = 7\n[limits]\nimage_tag_quota = 3\nmax_json_body = 9\n')
    settings = load_settings(
        environ={
            "ECL_SERVE_CONFIG": str(config),
            "ECL_SERVE_PORT": "2",
            "ECL_SERVE_LIMITS_MAX_JSON_BODY": "8",
        },
        flags={"port": 3, "host": None},
    )

    assert (settings.host, settings.port, settings.token_lifetime) == ("::1", 3, 7)
    assert (settings.limits.image_tag_quota, settings.limits.max_json_body) == (3, 8)


def test_region_flag_keeps_what_the_file_says(tmp_path):
    """``--region`` chooses regions; one that the file describes is served as described."""
    config = tmp_path / "service.toml"
    config.write_text('[[regions]]\nname = "east"\nlicense_switch_types = ["A"]\n[[regions]]\nname = "west"\n')

    assert load_settings(config, environ={}, regions=["north", "east"]).regions == (
        RegionSettings("north"),
        RegionSettings("east", license_switch_types=("A",)),
    )


WRONG = {
    "prot = 1": "'prot' in .* is no setting; did you mean port",
    "[limits]\nimage_size = 1": r"'image_size' in \[limits\] .*; did you mean image_size_cap",
    '[[regions]]\nname = "a"\nuser_name = "x"': r"'user_name' in \[\[regions\]\] .*; did you mean username",
    'port = "x"': "setting port is wrong: expected `int`",
    "port = 70000": "port is 70000, but must be 0 to 65535",
    "token_lifetime = 0": "token_lifetime is 0, but must be at least 1",
    "node_lease = 0.09": "node_lease is 0.09, but must be 0.1 to 3600",
    "node_lease = 3601": "node_lease is 3601.0, but must be 0.1 to 3600",
    "node_lease = nan": "node_lease is nan, but must be",
    "job_retry_delay = 0": "job_retry_delay is 0.0, but must be 0.1 to 3600",
    "job_attempts = 0": "job_attempts is 0, but must be at least 1",
    "[limits]\nlimit_param_default = 0": "limits.limit_param_default is 0",
    "data_dir = 1": "setting data_dir is wrong: expected a path",
    'hash_algorithm = "md5"': "setting hash_algorithm is wrong",
    'tls_cert = "x"': "both tls_cert and tls_key",
    'public_url = "image.example"': "public_url is 'image.example', but must be a URL",
    'public_url = "http://x:port"': "must be a URL",
    "regions = []": "no region to serve",
    "regions = 1": r"\[\[regions\]\] table",
    "[[regions]]": "setting regions",
    '[[regions]]\nname = "../x"': "region name '../x' is wrong",
    '[[regions]]\nname = "a"\n[[regions]]\nname = "a"': "region 'a' is there twice",
    '[[regions]]\nname = "a"\n[[regions]]\nname = "b"\nurl = "http://b"': "region b has a url, so it needs auth_url",
    "port": "is no TOML",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=WRONG)
def test_wrong_file(tmp_path, text, message):
    """A wrong file is refused in one sentence that names the key, and the right word where there is one."""
    config = tmp_path / "service.toml"
    config.write_text(text)

    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(config, environ={})
    assert str(caught.value).count("\n") == 0


def test_wrong_variable():
    """An unknown variable is refused with the nearest one that exists."""
    with pytest.raises(SettingsError, match="ECL_SERVE_PROT is no setting; did you mean ECL_SERVE_PORT"):
        load_settings(environ={"ECL_SERVE_PROT": "1"})


def test_missing_file(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(SettingsError, match=r"nothing\.toml cannot be read: No such file"):
        load_settings(tmp_path / "nothing.toml", environ={})


def keystone_config(folder: Path, more: str = "", auth_url: str = "https://keystone.example:5000") -> Path:
    """Write a file of settings with a Keystone, and *more* lines for it; the password lies beside it."""
    (folder / "password").write_text("secret\nsecond line\n")
    config = folder / "service.toml"
    config.write_text(
        f'data_dir = "data"\n[keystone]\nauth_url = "{auth_url}"\nusername = "image"\n'
        f'password_file = "password"\n{more}\n'
    )
    return config


def test_keystone(tmp_path):
    """A Keystone needs an address and a user; files are relative to the settings, variables win, lists have commas."""
    (tmp_path / "ca.pem").write_text("")
    config = keystone_config(tmp_path, 'cacert = "ca.pem"\nproject_regions = { aa = "jp2" }')
    settings = load_settings(
        config,
        environ={"ECL_SERVE_KEYSTONE_CACHE_SECONDS": "60", "ECL_SERVE_KEYSTONE_ADMIN_ROLES": "admin, cloud_admin"},
    )

    assert settings.keystone == KeystoneSettings(
        "https://keystone.example:5000",
        "image",
        tmp_path / "password",
        cacert=tmp_path / "ca.pem",
        cache_seconds=60,
        admin_roles=("admin", "cloud_admin"),
        project_regions={"aa": "jp2"},
    )
    assert service_password(settings.keystone) == "secret"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("cache_seconds = 301", "keystone.cache_seconds is 301.0, but must be 0 to 300"),
        ("cache_tokens = 0", "keystone.cache_tokens is 0, but must be 1 to 1000000"),
        ("timeout = 0", "keystone.timeout is 0.0, but must be 0.1 to 60"),
        ('public_auth_url = "keystone"', "keystone.public_auth_url must be a URL such as https"),
        ('project_name = ""', "keystone.project_name is empty"),
        ('project_regions = { aa = "jp9" }', "project aa has the region 'jp9' .* there are only jp1, jp2"),
        ('region_tag = "a=b"', "keystone.region_tag must be a text without"),
        ('cacert = "nosuch.pem"', "keystone.cacert .*nosuch.pem is not there"),
        ('admin_role = ["a"]', r"'admin_role' in \[keystone\] of .*; did you mean admin_roles"),
        ("admin_roles = 1", r"setting keystone.admin_roles is wrong"),
    ],
)
def test_wrong_keystone(tmp_path, more, message):
    """A wrong setting of the Keystone is named, with what it must be."""
    with pytest.raises(SettingsError, match=message):
        load_settings(keystone_config(tmp_path, more), environ={})


@pytest.mark.parametrize("url", ["keystone.example", "ftp://keystone.example", "https://u:top-secret@k.example"])
def test_wrong_keystone_address(tmp_path, url):
    """What is not the address of a Keystone is refused, without showing a password in it."""
    with pytest.raises(SettingsError, match=r"keystone.auth_url must be a URL such as https") as caught:
        load_settings(keystone_config(tmp_path, auth_url=url), environ={})
    assert "top-secret" not in str(caught.value)


def test_keystone_without_password(tmp_path):
    """A missing setting, and a password file that is missing or empty, are named."""
    config = keystone_config(tmp_path)
    (tmp_path / "password").write_text("\n")
    with pytest.raises(SettingsError, match=r"keystone.password_file .*password cannot be used: it is empty"):
        load_settings(config, environ={})
    (tmp_path / "password").unlink()
    with pytest.raises(SettingsError, match=r"keystone.password_file .*password is not there"):
        load_settings(config, environ={})
    with pytest.raises(SettingsError, match=r"setting keystone is wrong: .*missing required field `username`"):
        load_settings(environ={"ECL_SERVE_KEYSTONE_AUTH_URL": "https://k.example"})


@pytest.mark.parametrize(
    "url", ["https://k.example/identity", "https://k.example/identity/v3", "https://k.example/identity/v3/"]
)
def test_version_of_the_keystone(url):
    """The address of a Keystone may name version 3, or not."""
    assert v3_url(url) == "https://k.example/identity/v3"


def test_testing_with_a_keystone(tmp_path):
    """Tests make projects of the embedded identity, which a service with a Keystone has not."""
    with pytest.raises(SettingsError, match=r"with \[keystone\] there is none"):
        load_settings(keystone_config(tmp_path), environ={"ECL_SERVE_TESTING": "true"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_testing_on_this_host(host):
    """Tests may control a service that only this host can reach."""
    assert load_settings(environ={"ECL_SERVE_TESTING": "true", "ECL_SERVE_HOST": host}).testing


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "image.example"])
def test_testing_for_others(host):
    """A service that others can reach is not for tests."""
    with pytest.raises(SettingsError, match=f"With testing, .* must be a loopback address .*, not {re.escape(host)}"):
        load_settings(environ={"ECL_SERVE_TESTING": "true", "ECL_SERVE_HOST": host})
