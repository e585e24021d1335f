"""Users, projects and tokens of a real Keystone, and an image service that takes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from ecl.testing import ImageService
from support.region_service import Client

__all__ = ["Cloud", "client", "keystone_service", "settings_for"]

_PASSWORD = "a-password"
_DEFAULT = {"id": "default"}


class Cloud:
    """What an administrator does in the Keystone at *url*."""

    def __init__(self, url: str, admin_password: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self._numbers = itertools.count()
        self._admin_password = admin_password
        self.admin_token = self.token("admin", "admin", password=admin_password)
        self.roles = {role["name"]: role["id"] for role in self._get("/v3/roles")["roles"]}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send a request as the administrator."""
        answer = self._send(method, path, body, headers)
        if answer.status_code == 401:
            # The administrator's token has expired.
            self.admin_token = self.token("admin", "admin", password=self._admin_password)
            answer = self._send(method, path, body, headers)
        assert answer.ok, answer.text
        return answer

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> requests.Response:
        with_token = {"X-Auth-Token": self.admin_token, **headers}
        return self.http.request(method, self.url + path, json=body, headers=with_token, timeout=60)

    def _get(self, path: str) -> Any:
        return self.call("GET", path).json()

    def login(self, user: str, scope: Any, password: str = _PASSWORD) -> str:
        """Return a new token of *user*."""
        person = {"name": user, "domain": _DEFAULT, "password": password}
        identity = {"methods": ["password"], "password": {"user": person}}
        auth = {"identity": identity} if scope is None else {"identity": identity, "scope": scope}
        answer = self.http.post(f"{self.url}/v3/auth/tokens", json={"auth": auth}, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def token(self, user: str, project: str, password: str = _PASSWORD) -> str:
        """Return a new token of *user* on *project*, both by name."""
        return self.login(user, {"project": {"name": project, "domain": _DEFAULT}}, password)

    def project(self, **more: Any) -> dict[str, Any]:
        """Make a project with a name of its own."""
        body = {"project": {"name": f"project-{next(self._numbers)}", **more}}
        made: dict[str, Any] = self.call("POST", "/v3/projects", body).json()["project"]
        return made

    def user(self, name: str | None = None) -> dict[str, Any]:
        """Make a user."""
        body = {"user": {"name": name or f"user-{next(self._numbers)}", "password": _PASSWORD}}
        made: dict[str, Any] = self.call("POST", "/v3/users", body).json()["user"]
        return made

    def grant(self, user: dict[str, Any], project: dict[str, Any], *roles: str) -> None:
        """Give *user* the *roles* on *project*; one that is not there is made."""
        for role in roles:
            if role not in self.roles:
                made = self.call("POST", "/v3/roles", {"role": {"name": role}}).json()
                self.roles[role] = made["role"]["id"]
            self.call("PUT", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{self.roles[role]}")

    def someone(self, *roles: str, project: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Make a user with *roles* on *project* (None: a new one); return a token of the user, and the project."""
        project = project or self.project()
        user = self.user()
        self.grant(user, project, *roles)
        return self.token(user["name"], project["name"]), project

    def service_user(self, *roles: str) -> str:
        """Make a user with *roles* on the project ``service``, and return the name."""
        found = self._get("/v3/projects?name=service")["projects"]
        project = found[0] if found else self.project(name="service")
        user = self.user()
        self.grant(user, project, *roles)
        return str(user["name"])

    def add_endpoint(self, kind: str, url: str) -> None:
        """Put a service into the catalog."""
        service = self.call("POST", "/v3/services", {"service": {"type": kind}}).json()["service"]
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service["id"], "interface": interface, "url": url}
            self.call("POST", "/v3/endpoints", {"endpoint": endpoint})

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def settings_for(cloud_url: str, folder: Path, username: str, **more: Any) -> dict[str, Any]:
    """Return the settings of a service that asks the Keystone at *cloud_url* as *username*."""
    password = folder / "keystone-password"
    password.write_text(_PASSWORD + "\n")
    return {"auth_url": cloud_url, "username": username, "password_file": str(password), **more}


@contextmanager
def keystone_service(
    cloud: Cloud, folder: Path, username: str, *, regions: Sequence[Any] = ("jp1", "jp2"), **keystone: Any
) -> Iterator[ImageService]:
    """Run an image service that takes the Keystone's tokens."""
    settings = settings_for(cloud.url, folder, username, **keystone)
    with ImageService(regions, data_dir=folder / "data", keystone=settings) as run:
        yield run


def client(service: ImageService, token: str | None, region: str = "jp1") -> Client:
    """Return a client with *token*; close its session."""
    return Client(f"{service.url}/image/{region}", "", token)
