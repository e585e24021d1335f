"""One client of the service, which tells an acknowledged request from a refused one and from a lost answer."""

from __future__ import annotations

from enum import Enum
from typing import Any

import requests

__all__ = ["Answer", "Client", "Outcome"]

#: Seconds to wait for an answer.
_PATIENCE = 60


class Outcome(Enum):
    """What is known of a request."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Answer:
    """The outcome of a request, and the response where there was one."""

    def __init__(self, response: requests.Response | None) -> None:
        self.response = response
        self.status = 0 if response is None else response.status_code

    @property
    def outcome(self) -> Outcome:
        """A 5xx may come from a service whose commit has succeeded."""
        if self.status == 0 or self.status >= 500:
            return Outcome.UNKNOWN
        return Outcome.DONE if self.status < 300 else Outcome.REFUSED

    @property
    def is_done(self) -> bool:
        """True if the service has acknowledged it."""
        return self.outcome is Outcome.DONE

    def json(self) -> Any:
        """Return the document of the response."""
        assert self.response is not None
        return self.response.json()


class Client:
    """A project's session in one region."""

    def __init__(self, url: str, project_id: str, token: str) -> None:
        self.project_id = project_id
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"X-Auth-Token": token, "Accept": "application/json"})

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Send one request; a connection that breaks is an unknown outcome."""
        try:
            return Answer(self._session.request(method, self._url + path, timeout=_PATIENCE, **options))
        except requests.RequestException:
            return Answer(None)

    def close(self) -> None:
        """Close its connections."""
        self._session.close()
