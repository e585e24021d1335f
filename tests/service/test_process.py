"""The service's process as `ecl.testing` runs it: start, stop, kill, restart, and what it leaves behind."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time

import pytest
import requests
import yaml

from ecl.testing import ImageService, Refused, ServiceFailed


def get(url: str) -> int:
    with requests.Session() as http:
        http.trust_env = False
        return http.get(url, timeout=30).status_code


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def gone(pid: int, seconds: float = 20) -> bool:
    """True once no process has this ID, or only its remains."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_life():
    """A service answers when it is started, is gone when it is stopped, and its folder goes with it."""
    with ImageService(regions=["east"]) as service:
        assert service.regions == ["east"]
        assert get(service.url) == 300
        pid, folder = service.pid, service.data_dir
        assert service.stop() == 0
        assert gone(pid)
        assert not service.is_running

    assert not folder.exists()


def test_first_start_files():
    """The data folder and all in it are for its owner alone, and clouds.yaml has every cloud."""
    with ImageService(database_url=None) as service:
        clouds = yaml.safe_load(service.clouds_yaml.read_text())["clouds"]

        assert mode(service.data_dir) == 0o700
        assert mode(service.clouds_yaml) == 0o600
        assert mode(service.data_dir / "ecl.db") == 0o600
        assert list(clouds) == ["demo", "demo-jp1", "demo-jp2", "admin"]
        assert clouds["demo"] == clouds["demo-jp1"]
        assert clouds["demo-jp2"]["region_name"] == "jp2"
        assert clouds["demo"]["auth"]["auth_url"] == service.auth_url
        passwords = {cloud["auth"]["password"] for cloud in clouds.values()}
        assert len(passwords) == 2
        assert not any(password in service.log for password in passwords)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_keeps_everything(end):
    """After a stop, and after a SIGKILL, the same users log in at the same address."""
    with ImageService() as service:
        extra = service.add_project("jp2")
        before = service.credentials("jp2"), service.credentials(project=extra), service.url
        getattr(service, end)()
        service.start()

        assert (service.credentials("jp2"), service.credentials(project=extra), service.url) == before
        for who in before[:2]:
            person = {"name": who["username"], "domain": {"id": "default"}, "password": who["password"]}
            auth = {"identity": {"methods": ["password"], "password": {"user": person}}}
            answer = requests.post(f"{service.auth_url}/auth/tokens", json={"auth": auth}, timeout=30)
            assert answer.status_code == 201


def test_new_address_reaches_clouds_yaml(tmp_path):
    """When the service gets another port, clouds.yaml says so, and keeps the rest."""
    with ImageService(data_dir=tmp_path) as first:
        before = yaml.safe_load(first.clouds_yaml.read_text())["clouds"]
    with ImageService(data_dir=tmp_path) as second:
        after = yaml.safe_load(second.clouds_yaml.read_text())["clouds"]

        assert after["demo"]["auth"]["auth_url"] == second.auth_url
        assert after["demo"]["auth"]["password"] == before["demo"]["auth"]["password"]
        assert mode(second.clouds_yaml) == 0o600


def test_it_dies_with_its_parent(tmp_path):
    """When the tests are killed, the service ends, too."""
    script = (
        "import os, pathlib, signal; from ecl.testing import ImageService\n"
        f"service = ImageService(data_dir=pathlib.Path({str(tmp_path)!r})); service.start()\n"
        "print(service.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False, timeout=60)
    pid = int(parent.stdout)

    assert parent.returncode == -signal.SIGKILL
    assert gone(pid)


def test_settings_are_passed_on():
    """Further keyword arguments are settings."""
    with ImageService(token_lifetime=7, access_log=True) as service:
        person = service.credentials()
        user = {"name": "demo", "domain": {"id": "default"}, "password": person["password"]}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        answer = requests.post(f"{service.auth_url}/auth/tokens", json={"auth": auth}, timeout=30)
        service.stop()

        request_id = answer.headers["x-openstack-request-id"]
        assert f"{request_id} POST /v3/auth/tokens 201" in service.log
        assert person["password"] not in service.log
        assert answer.headers["X-Subject-Token"] not in service.log


def test_wrong_setting_is_shown():
    """If it cannot start, the error has the service's own words, and nothing stays."""
    service = ImageService(token_lifetim=7)

    with pytest.raises(ServiceFailed, match="did you mean token_lifetime"), service:
        pass
    assert not service.data_dir.parent.exists()


def test_two_services_on_one_folder(tmp_path):
    """The second service on a folder is refused with the first one's process ID; after a SIGKILL it may start."""
    with ImageService(data_dir=tmp_path) as first:
        pid = first.pid
        with pytest.raises(ServiceFailed, match=f"process {pid}\\) is using the data folder"):
            ImageService(data_dir=tmp_path).start()
        first.kill()
        with ImageService(data_dir=tmp_path) as second:
            assert get(second.url) == 300


def test_admin_and_added_projects():
    """An admin has one project for every region; a project can be added for a new user or one that is there."""
    with ImageService() as service:
        own = service.add_project("jp2")
        shared = service.add_project("jp1", user="demo")

        assert service.credentials("jp2", "admin")["project_id"] == service.credentials("jp1", "admin")["project_id"]
        assert service.credentials("jp2", "admin")["region_name"] == "jp2"
        assert len(own.id) == 32
        assert service.credentials("jp2", own.username)["project_id"] == own.id
        assert service.credentials(project=shared)["password"] == service.credentials()["password"]
        assert service.credentials("jp1")["project_id"] != shared.id
        with pytest.raises(Refused, match="has no project in region 'jp1'"):
            service.credentials("jp1", own.username)


def test_plugin_is_light():
    """Loading the pytest plugin loads neither the SDK nor the server."""
    script = (
        "import sys, ecl.testing.plugin, ecl.testing_pytest\n"
        "print({'requests', 'sqlalchemy', 'keystoneauth1', 'ecl.testing.service'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "set()"
