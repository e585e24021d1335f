"""Which cloud, as whom, and the token that is kept."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from ecl.testing import ImageService
from support.commands import ECL, Command

LIST = ("image", "list", "-f", "json", "--limit", "1")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder of this test alone."""
    return tmp_path / "cache"


def tokens(cache: Path) -> list[Path]:
    return sorted(cache.glob("ecl-image/tokens/*"))


def logs_in(ecl: Command, *words: str) -> bool:
    """Tell whether a command asks Keystone for a token."""
    return "/auth/tokens" in ecl("--timing", *(words or LIST)).err


# --- the cloud ------------------------------------------------------------------------------------------------


def test_options_stand_before_and_behind_the_command(ecl: Command) -> None:
    """--os-cloud is the same wherever it stands; with = too."""
    expected = ecl("token", "issue", "--os-cloud", "there", "-f", "json").json

    for words in (
        ("--os-cloud", "there", "token", "issue"), ("token", "--os-cloud=there", "issue"), ("token", "issue"),
    ):  # fmt: skip
        found = ecl(*words, "-f", "json").json
        assert (found["project_id"] == expected["project_id"]) is ("there" in " ".join(words))


def test_variables_are_enough(
    ecl: Command, service: ImageService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a file, OS_* variables say all of it; options count over them."""
    for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    project = service.add_project("jp1")
    for name, value in service.credentials(project=project).items():
        monkeypatch.setenv(f"OS_{name.upper()}", value)

    assert ecl("token", "issue", "-f", "json").json["project_id"] == project.id
    assert "HTTP 401" in ecl("--os-password", "wrong", *LIST, code=1).err
    monkeypatch.delenv("OS_USERNAME")
    assert "needs username" in ecl(*LIST, code=2).err
    ecl("--os-username", project.username, *LIST)


def test_options_are_enough(ecl: Command, service: ImageService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options alone say all of it, whatever clouds.yaml has."""
    monkeypatch.delenv("OS_CLOUD")
    words = []
    for name, value in service.credentials(user="demo").items():
        words += [f"--os-{name.replace('_', '-')}", value]

    assert ecl("token", "issue", *words, "-f", "json").json["project_id"] == service.credentials()["project_id"]


def test_password_that_the_file_leaves_out_comes_from_the_variable(
    ecl: Command, clouds_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """clouds.yaml without a password, and OS_PASSWORD."""
    clouds = yaml.safe_load(clouds_yaml.read_text())
    password = clouds["clouds"]["here"]["auth"].pop("password")
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))

    assert "needs password" in ecl(*LIST, code=2).err
    monkeypatch.setenv("OS_PASSWORD", password)
    ecl(*LIST)


def test_variables_count_over_the_cloud_of_os_cloud(
    ecl: Command, service: ImageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables beside OS_CLOUD count over clouds.yaml, as for the openstack command; not for a cloud by --os-cloud."""
    project = service.add_project("jp1")
    for name in ("username", "password", "project_id"):
        monkeypatch.setenv(f"OS_{name.upper()}", service.credentials(project=project)[name])

    assert ecl("token", "issue", "-f", "json").json["project_id"] == project.id
    assert ecl("token", "issue", "--os-cloud", "here", "-f", "json").json["project_id"] != project.id


def test_a_project_by_name_counts_over_an_id_in_the_file(
    ecl: Command, service: ImageService, clouds_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--os-project-name, and OS_PROJECT_NAME beside OS_CLOUD, name the project where the file has the ID of another."""
    other = service.add_project("jp1")
    clouds = yaml.safe_load(clouds_yaml.read_text())
    clouds["clouds"]["here"]["auth"] |= service.credentials(project=other) | {"project_id": "0" * 32}
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    name = ("--os-project-name", other.name)

    assert ecl("token", "issue", code=1).err
    assert ecl("token", "issue", *name, "-f", "json").json["project_id"] == other.id
    monkeypatch.setenv("OS_PROJECT_NAME", other.name)
    assert ecl("token", "issue", "-f", "json").json["project_id"] == other.id
    monkeypatch.setenv("OS_PROJECT_ID", "1" * 32)
    assert ecl("token", "issue", *name, "-f", "json").json["project_id"] == other.id


def test_openrc_of_another_tool_says_nothing(
    ecl: Command, service: ImageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that Kolla and TripleO set beside the log-in cause no warning."""
    for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.delenv(name)
    project = service.add_project("jp1")
    given = {"NO_CACHE": "True", "CLOUDNAME": "overcloud", "BAREMETAL_API_VERSION": "1.34", "AUTH_PLUGIN": "password",
             "NETWORK_API_VERSION": "2", "PLACEMENT_API_VERSION": "1", "MANILA_ENDPOINT_TYPE": "internalURL",
             **service.credentials(project=project)}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"OS_{name.upper()}", value)

    assert ecl("token", "issue").err == ""


@pytest.mark.parametrize("auth_type", ["v3password", "token", "v3token"])
def test_other_types_of_authentication(ecl: Command, auth_type: str, service: ImageService) -> None:
    """Any plugin of keystoneauth1, with its own options."""
    token = ecl("token", "issue", "-f", "value", "-c", "id").out.strip()
    mine = ecl("token", "issue", "-f", "value", "-c", "project_id").out.strip()
    own = service.credentials(user="demo")
    words = {
        "v3password": ("--os-username", own["username"], "--os-password", own["password"], "--os-user-domain-id",
                       "default", "--os-project-id", own["project_id"]),
        "token": ("--os-token", token, "--os-project-id", mine),
        "v3token": ("--os-token", token, "--os-project-id", mine),
    }[auth_type]  # fmt: skip

    found = ecl(
        "--os-cloud", "envvars", "--os-auth-url", service.auth_url, "--os-auth-type", auth_type, "--os-region-name",
        "jp1", *words, "token", "issue", "-f", "json",
    ).json  # fmt: skip

    assert found["project_id"] == (own["project_id"] if auth_type == "v3password" else mine)


def test_no_authentication(ecl: Command, service: ImageService) -> None:
    """admin_token sends a ready token to a given address, and does not get a token from Keystone."""
    token = ecl("token", "issue", "-f", "value", "-c", "id").out.strip()
    words = ("--os-cloud", "envvars", "--os-auth-type", "admin_token", "--os-token", token)
    where = ("--os-endpoint", f"{service.url}/image/jp1")

    ecl(*words, *where, *LIST)
    assert "does not get a token from Keystone" in ecl(*words, *where, "token", "issue", code=2).err


def test_catalog_lists_each_region(ecl: Command, service: ImageService) -> None:
    """The catalog of the token, for people and for programs."""
    found = {each["type"]: each["endpoints"] for each in ecl("catalog", "list", "-f", "json").json}

    assert {"region": "jp2", "interface": "public", "url": f"{service.url}/image/jp2"} in found["image"]
    assert f"url={service.url}/image/jp1" in ecl("catalog", "list").out


@pytest.mark.parametrize("interface", ["public", "internal", "admin"])
def test_interface(ecl: Command, interface: str) -> None:
    """The image service is found under every interface of the catalog."""
    ecl("--os-interface", interface, *LIST)


# --- the token cache ------------------------------------------------------------------------------------------


def test_second_command_does_not_log_in(ecl: Command, cache: Path) -> None:
    """The token of one command serves the next, from a file that only its owner can read."""
    first, second = logs_in(ecl), logs_in(ecl)

    assert (first, second) == (True, False)
    (kept,) = tokens(cache)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_each_cloud_and_user_has_its_own_token(ecl: Command, cache: Path) -> None:
    """No token goes to another cloud, project or user."""
    for words in (("--os-cloud", "here"), ("--os-cloud", "guest"), ("--os-cloud", "there"), ("--os-cloud", "admin")):
        assert logs_in(ecl, *words, *LIST)
        assert not logs_in(ecl, *words, *LIST)

    assert len(tokens(cache)) == 4
    assert "HTTP 401" in ecl("--os-project-id", "f" * 32, *LIST, code=1).err


def test_without_a_cache_each_command_logs_in(ecl: Command, cache: Path) -> None:
    """--no-token-cache neither reads nor writes a token."""
    assert logs_in(ecl, "--no-token-cache", *LIST)
    assert tokens(cache) == []
    logs_in(ecl)
    assert logs_in(ecl, *LIST, "--no-token-cache")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_token_that_others_can_read_is_not_used(ecl: Command, cache: Path, mode: int) -> None:
    """A file with wrong permissions is as good as none, and is replaced."""
    logs_in(ecl)
    tokens(cache)[0].chmod(mode)

    assert logs_in(ecl)
    assert stat.S_IMODE(tokens(cache)[0].stat().st_mode) == 0o600


def test_token_in_a_folder_of_others_is_not_used(ecl: Command, cache: Path) -> None:
    """Nothing is read from, nor written to, a folder that others can write into."""
    logs_in(ecl)
    tokens(cache)[0].parent.chmod(0o777)

    assert logs_in(ecl)


def test_link_is_not_followed(ecl: Command, cache: Path, tmp_path: Path) -> None:
    """A link in the place of a token is not read."""
    logs_in(ecl)
    kept = tokens(cache)[0]
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")

    assert logs_in(ecl)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"auth_token": 1}', '{"auth_token": "x", "check": "y"}'])
def test_damaged_file_is_no_error(ecl: Command, cache: Path, text: str) -> None:
    """Whatever is in the file, the command logs in."""
    logs_in(ecl)
    tokens(cache)[0].write_text(text)

    assert logs_in(ecl)


def test_wrong_password_is_not_served_by_a_kept_token(ecl: Command) -> None:
    """Who gives another password is not let in by the token of the right one."""
    logs_in(ecl)

    assert "HTTP 401" in ecl("--os-password", "wrong", *LIST, code=1).err
    ecl(*LIST)


def test_token_that_ends_soon_is_renewed(ecl: Command, cache: Path) -> None:
    """Two minutes before its end a token is not used any more."""
    logs_in(ecl)
    kept = tokens(cache)[0]
    entry = json.loads(kept.read_text())
    entry["body"]["token"]["expires_at"] = "2020-01-01T00:00:00.000000Z"
    kept.write_text(json.dumps(entry))

    assert logs_in(ecl)
    assert not logs_in(ecl)


def test_revoked_token_is_replaced(ecl: Command, cache: Path, service: ImageService) -> None:
    """A token that the service has forgotten is answered by a new log-in, not by an error."""
    import requests

    token = ecl("token", "issue", "-f", "value", "-c", "id").out.strip()
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    assert requests.delete(f"{service.auth_url}/auth/tokens", headers=headers, timeout=30).status_code == 204

    assert logs_in(ecl)
    assert ecl("token", "issue", "-f", "value", "-c", "id").out.strip() != token


def test_folder_that_cannot_be_written_is_no_error(ecl: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept, commands work all the same."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")

    assert logs_in(ecl)
    assert logs_in(ecl)


# --- talk -----------------------------------------------------------------------------------------------------


def test_debug_shows_requests_and_no_secrets(
    ecl: Command, clouds_yaml: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests and answers are on stderr; password and token are not, and stdout has the data alone."""
    password = yaml.safe_load(clouds_yaml.read_text())["clouds"]["here"]["auth"]["password"]

    shown = ecl("--debug", *LIST)
    token = json.loads(tokens(cache)[0].read_text())["auth_token"]

    assert "GET" in shown.err
    assert "/v2/images" in shown.err
    assert json.loads(shown.out) is not None
    assert password not in shown.err
    assert token not in shown.err


def test_traceback_only_with_debug() -> None:
    """An error is a line; with --debug it is a traceback, too."""
    words = [ECL, "image", "show", "no-such-image"]

    plain = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)
    debug = subprocess.run([*words, "--debug"], capture_output=True, text=True, check=False, env=os.environ)

    assert plain.stderr == "Error: There is no image with the name or ID 'no-such-image'.\n"
    assert "Traceback" in debug.stderr
    assert (plain.returncode, debug.returncode) == (1, 1)


def test_timing_is_talk(ecl: Command) -> None:
    """--timing writes each request and the sum to stderr, and leaves stdout alone."""
    timed = ecl("--timing", *LIST)

    assert timed.out == ecl(*LIST).out
    assert timed.err.splitlines()[-1].endswith("in total")
    assert "GET http://" in timed.err
