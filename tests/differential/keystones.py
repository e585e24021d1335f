"""The same identity request to the embedded service and to a real Keystone: do the two answers mean the same?"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import requests
from keystone_backend import PASSWORD, run_keystone

from ecl.testing import ImageService

__all__ = ["Keystones", "Pair", "run_keystones"]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
#: What only one side has: ECL's region of a project; a copy of a changed user's fields that Keystone adds to itself;
#: and a link of Keystone's that leads nowhere.
_NOT_COMPARED = {"region", "extra", "prior_role"}


class _Side:
    """One of the two services."""

    def __init__(self, url: str, admin_password: str) -> None:
        self.url = url
        self.ids: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self._http = requests.Session()
        self._http.trust_env = False
        body = self.login("admin", admin_password, "admin", "admin").json()["token"]
        self.ids |= {"user:admin": body["user"]["id"], "project:admin": body["project"]["id"]}
        for role in self.send("GET", "/v3/roles", "admin").json()["roles"]:
            if role["name"] in ("admin", "member", "reader"):
                self.ids[f"role:{role['name']}"] = role["id"]

    def login(self, user: str, password: str, project: str | None, token: str) -> requests.Response:
        """Log in, to *project* or without one, and keep the token under the name *token*."""
        domain = {"domain": {"id": "default"}}
        identity = {"methods": ["password"], "password": {"user": {"name": user, **domain, "password": password}}}
        scope = {} if project is None else {"scope": {"project": {"name": project, **domain}}}
        answer = self._http.post(f"{self.url}/v3/auth/tokens", json={"auth": {"identity": identity, **scope}})
        if answer.ok:
            self.tokens[token] = answer.headers["X-Subject-Token"]
        return answer

    def send(self, method: str, path: str, token: str | None, body: Any = None) -> requests.Response:
        """Send a request; ``{user:NAME}`` and the like in *path* and *body* become IDs."""
        headers = {} if token is None else {"X-Auth-Token": self.tokens[token]}
        return self._http.request(method, self.url + self._own(path), headers=headers, json=self._own(body), timeout=30)

    def _own(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._own(part) for name, part in value.items()}
        if not isinstance(value, str):
            return value
        return re.sub(r"\{(\w+:[\w.-]+)\}", lambda found: self.ids[found[1]], value)

    def meaning(self, answer: requests.Response) -> Any:
        """Return status and body, with names for IDs, in a form that does not differ from run to run."""
        if not answer.content:
            return answer.status_code, None
        body = answer.json()
        if "error" in body:
            return answer.status_code, {"code": body["error"]["code"], "title": body["error"]["title"]}
        return answer.status_code, self._named(body)

    def _named(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._named(part) for name, part in value.items() if name not in _NOT_COMPARED}
        if isinstance(value, list):
            return sorted((self._named(part) for part in value), key=repr)
        if not isinstance(value, str):
            return value
        value = _TIME.sub("TIME", value.replace(self.url, "URL"))
        for name, id in self.ids.items():
            value = value.replace(id, f"<{name}>")
        return value

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class Pair:
    """What the two sides answered to one request, which is the same."""

    def __init__(self, ours: requests.Response) -> None:
        self.status = ours.status_code
        self.body = ours.json() if ours.content else None


class Keystones:
    """The two services."""

    def __init__(self, here: _Side, keystone: _Side) -> None:
        self._sides = here, keystone

    def same(self, method: str, path: str, token: str | None = "admin", body: Any = None) -> Pair:
        """Send a request to both, and check that the answers mean the same; new things are known by their names."""
        answers = [side.send(method, path, token, body) for side in self._sides]
        for side, answer in zip(self._sides, answers, strict=True):
            if method == "POST" and answer.status_code == 201:
                ((kind, made),) = answer.json().items()
                side.ids[f"{kind}:{made['name']}"] = made["id"]
        self._compare(f"{method} {path} {body}", answers)
        return Pair(answers[0])

    def login(self, user: str, password: str, project: str | None = None, token: str = "last") -> int:
        """Log in on both sides, and return the status, which is the same."""
        statuses = {side.login(user, password, project, token).status_code for side in self._sides}
        (status,) = statuses
        return status

    def _compare(self, what: str, answers: list[requests.Response]) -> None:
        here, keystone = (side.meaning(answer) for side, answer in zip(self._sides, answers, strict=True))

        assert here == keystone, what


@contextlib.contextmanager
def run_keystones() -> Iterator[Keystones]:
    """Run both services until the block ends."""
    with ImageService(("jp1",)) as service, run_keystone() as url:
        sides = _Side(service.url, service.credentials(user="admin")["password"]), _Side(url, PASSWORD)
        try:
            yield Keystones(*sides)
        finally:
            for side in sides:
                side.close()
