"""Plain HTTP to the identity API of a service."""

from __future__ import annotations

from typing import Any

import requests

from ecl.testing import ImageService

__all__ = ["Identity"]


class Identity:
    """Plain HTTP to the identity API of a service."""

    def __init__(self, service: ImageService) -> None:
        self.service = service
        self.http = requests.Session()
        self.http.trust_env = False

    def call(
        self, method: str, path: str, token: str | None = None, subject: str | None = None, **more: Any
    ) -> requests.Response:
        headers = {"X-Auth-Token": token, "X-Subject-Token": subject, **more.pop("headers", {})}
        return self.http.request(
            method, self.service.url + path, headers=headers, timeout=30, allow_redirects=False, **more
        )

    def login(self, identity: dict[str, Any], scope: Any = None, query: str = "") -> requests.Response:
        auth = {"identity": identity} if scope is None else {"identity": identity, "scope": scope}
        return self.call("POST", f"/v3/auth/tokens{query}", json={"auth": auth})

    def password(self, user: str = "demo", **more: Any) -> dict[str, Any]:
        """The password method for one of the service's users; *more* replaces parts of the user."""
        secret = self.service.credentials(user=user)["password"]
        person = {"name": user, "domain": {"id": "default"}, "password": secret, **more}
        return {"methods": ["password"], "password": {"user": person}}

    def project(self, region: str = "jp1", user: str = "demo") -> str:
        return self.service.credentials(region, user)["project_id"]

    def token(self, user: str = "demo", region: str = "jp1") -> str:
        answer = self.login(self.password(user), {"project": {"id": self.project(region, user)}})
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]
