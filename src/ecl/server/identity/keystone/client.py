"""Questions to the Keystone, as the service's own user there. They block for at most `KeystoneSettings.timeout`."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from ecl import exceptions
from ecl.server.domain.text import printable
from ecl.server.errors import Unavailable
from ecl.server.settings.keystone import service_password, v3_url
from ecl.server.settings.model import KeystoneSettings

__all__ = ["Document", "KeystoneClient"]

_log = logging.getLogger(__name__)

# Any: what Keystone answers; each part that is used is checked where it is used.
Document = dict[str, Any]

#: The form of an ID; it becomes part of a URL.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
#: Seconds between two lines about a Keystone that does not answer.
_LOG_INTERVAL = 10


class KeystoneClient:
    """
    Asks the Keystone.

    When the token of the service's user is no longer valid there, it logs in again, once for each question.
    """

    def __init__(self, settings: KeystoneSettings) -> None:
        # Imported here, because only a service with a Keystone needs them to start.
        from keystoneauth1.identity import v3

        from ecl.session import Session

        self._url = v3_url(settings.auth_url)
        auth = v3.Password(
            self._url,
            username=settings.username,
            password=service_password(settings),
            user_domain_name=settings.user_domain_name,
            project_name=settings.project_name,
            project_domain_name=settings.project_domain_name,
            include_catalog=False,
        )
        verify = True if settings.cacert is None else str(settings.cacert)
        self._session = Session(auth=auth, verify=verify, timeout=settings.timeout)
        self._next_line = 0.0

    def log_in(self) -> None:
        """
        Log in as the service's user.

        Raises:
            SDKException: That is not possible.
        """
        from ecl.session import map_exceptions

        map_exceptions(self._session.get_token)()

    def token(self, text: str, *, allow_expired: bool = False) -> Document | None:
        """
        Return what the token *text* says, without its catalog; None if it is not valid.

        Args:
            allow_expired: True if it may have expired a while ago.

        Raises:
            Unavailable: The Keystone does not answer, or not to this.
        """
        query = {"nocatalog": "1", **({"allow_expired": "1"} if allow_expired else {})}
        answer = self._ask("/auth/tokens", query, {"X-Subject-Token": text})
        return None if answer is None else self._part(answer, "token")

    def project(self, project_id: str) -> Document | None:
        """Return a project; None if there is none. Raises Unavailable."""
        return self._one("project", project_id)

    def user(self, user_id: str) -> Document | None:
        """Return a user; None if there is none. Raises Unavailable."""
        return self._one("user", user_id)

    def role_names(self, user_id: str, project_id: str) -> frozenset[str]:
        """Return the names of a user's roles on a project, also those by groups and inheritance. Raises Unavailable."""
        query = {"user.id": user_id, "scope.project.id": project_id, "effective": "1", "include_names": "1"}
        answer = self._ask("/role_assignments", query) or {}
        return frozenset(str(each["role"]["name"]) for each in answer.get("role_assignments", ()))

    def _one(self, kind: str, id: str) -> Document | None:
        answer = self._ask(f"/{kind}s/{id}") if _ID.fullmatch(id) else None
        return None if answer is None else self._part(answer, kind)

    def _part(self, answer: Document, name: str) -> Document:
        part = answer.get(name)
        if not isinstance(part, dict):
            raise self._unavailable(f"its answer has no {name}")
        return part

    def _ask(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Document | None:
        """Return the answer; None if it is 404."""
        try:
            # A redirect could take the tokens to another host.
            answer = self._session.get(
                self._url + path, params=dict(query or {}), headers=dict(headers or {}), redirect=False
            )
            content = answer.json() if answer.status_code == 200 else None
        except exceptions.NotFoundException:
            return None
        except exceptions.UnauthorizedException as exc:
            raise self._unavailable("it refuses the service's own user") from exc
        except exceptions.ForbiddenException as exc:
            raise self._unavailable(f"it does not let the service's own user read {path.split('/')[1]}") from exc
        except (exceptions.SDKException, ValueError) as exc:
            raise self._unavailable(str(exc)) from exc
        if not isinstance(content, dict):
            raise self._unavailable(f"its answer is not a Keystone's (status {answer.status_code})")
        return content

    def _unavailable(self, why: str) -> Unavailable:
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LOG_INTERVAL
            _log.error("the Keystone at %s cannot be asked: %s", self._url, printable(why))
        return Unavailable("The identity service cannot be asked at the moment; try again later.")
