"""
A session for a token that is known: it sends plain requests itself, and leaves everything else to keystoneauth1.

A command that lists images takes half of its time to import keystoneauth1 and requests; with a token and its catalog
at hand, it needs neither.
"""

from __future__ import annotations

import http.client
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ecl._http import bounds
from ecl._http.plain import ConnectTimeout, NotSent, PlainHttp

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from ecl._http.answer import Answer
    from ecl._http.known_token import KnownToken

__all__ = ["DirectSession", "Preferences"]

#: Arguments of a request that is sent here; with any other, and other values of the first two, it is not.
#: The hooks are those of :mod:`ecl._http.bounds`; its bounds hold here as well.
_PLAIN = frozenset({"raise_exc", "redirect", "headers", "data", "params", "timeout", "hooks"})
#: The same of a question for an endpoint.
_PREFERENCES = frozenset({"service_type", "interface", "region_name", "service_name", "skip_discovery"})
_UNAUTHORIZED = 401


class Preferences(Protocol):
    """What is asked of an :class:`ecl.profile.Profile`."""

    def preferences(self, service: str) -> dict[str, Any]:
        """Return the preferences for a service type, in keystoneauth1's words."""


class DirectSession:
    """
    What ``ecl._http`` needs of a keystoneauth1 session.

    At the first thing that it cannot do (a token that is refused or about to end, an address that cannot be connected
    to, a body that is streamed, a method that it does not have) it makes the real session, which does that and
    everything from then on. Failures of a request that was sent are keystoneauth1's exceptions. Cookies are not kept.
    """

    #: Of keystoneauth1's Adapter and Session, which ``ecl._http`` asks for.
    interface = None
    session = None
    cert = None

    def __init__(
        self,
        token: KnownToken,
        make_session: Callable[[], Session],
        *,
        profile: Preferences,
        endpoint_overrides: Mapping[str, str] | None = None,
        verify: bool | str = True,
        timeout: float | None = None,
        margin: float = 0,
    ) -> None:
        """
        Send nothing yet.

        Args:
            make_session: Makes the session that does what this one cannot; its token is *token* at first.
            profile: Region, interface and name to prefer, as for :class:`ecl.session.Session`; the other arguments,
                too.
            verify: True, or the path of a CA bundle.
            margin: Seconds before its end at which the token is not used any more.
        """
        self.profile = profile
        self.endpoint_overrides = endpoint_overrides or {}
        self.verify = verify
        self.timeout = timeout
        self._token = token
        self._margin = margin
        self._make_session = make_session
        self._http = PlainHttp(verify, bounds.seconds_for(timeout))
        self._real: Session | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Return what a keystoneauth1 session has and this one has not."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._real_session(), name)

    def get_project_id(self) -> str | None:
        """Return the ID of the project that the token is for."""
        return self._token.project_id

    def get_endpoint(self, **wanted: Any) -> str | None:
        """Return the address of a service, as :meth:`ecl.session.Session.get_endpoint` does."""
        if self._real is None and wanted.keys() <= _PREFERENCES:
            service_type = wanted["service_type"]
            if service_type in self.endpoint_overrides:
                return self.endpoint_overrides[service_type]
            asked = {**wanted, **self.profile.preferences(service_type)}
            asked.pop("skip_discovery", None)
            found = self._token.endpoint(**asked)
            if found is not None:
                return found
        return self._real_session().get_endpoint(**wanted)

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        """
        Send a request, as keystoneauth1's Session does.

        Raises:
            keystoneauth1.exceptions.ConnectFailure: The request was sent, and no answer came.
            keystoneauth1.exceptions.ConnectTimeout: There was no connection in time, or the service was silent.
        """
        if self._real is None and self._is_plain(kwargs):
            answer = self._send(url, method, **kwargs)
            if answer is not None:
                if answer.status_code != _UNAUTHORIZED or not self._real_session().invalidate():
                    return answer
                # The token was revoked. A new one is tried once, as keystoneauth1 does.
                kwargs["allow_reauth"] = False
        return self._real_session().request(url, method, **kwargs)

    def close(self) -> None:
        """Close the connections that are kept for later requests."""
        self._http.close()
        if self._real is not None:
            self._real.session.close()

    def _is_plain(self, kwargs: Mapping[str, Any]) -> bool:
        return (
            kwargs.keys() <= _PLAIN
            and kwargs.get("raise_exc") is False
            and kwargs.get("redirect") is False
            and isinstance(kwargs.get("data"), bytes | None)
            and isinstance(kwargs.get("params"), Mapping | list | None)
            and kwargs.get("timeout", self.timeout) is not None
            and self._token.seconds_left() > self._margin
        )

    def _send(self, url: str, method: str, **kwargs: Any) -> Answer | None:
        """Send a plain request; return None if it was not sent."""
        query = urllib.parse.urlencode(list(_pairs(kwargs.get("params") or [])))
        if query:
            url += ("&" if "?" in url else "?") + query
        headers = {**kwargs["headers"], "X-Auth-Token": self._token.text}
        timeout = kwargs.get("timeout", (self.timeout, self.timeout))
        try:
            return self._http.send(method, url, headers, kwargs.get("data"), timeout)
        except NotSent:
            # The real session can send it, or says what is wrong.
            return None
        except (OSError, http.client.HTTPException) as exc:
            failure, cause = _failure(url, exc)
            raise failure from cause

    def _real_session(self) -> Session:
        with self._lock:
            if self._real is None:
                self._real = self._make_session()
            return self._real


def _pairs(params: Mapping[str, Any] | list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the query parameters as requests sends them: each value of a list, and none that is None."""
    for name, value in params.items() if isinstance(params, Mapping) else params:
        values = value if isinstance(value, list | tuple | set) else [value]
        yield from ((name, each) for each in values if each is not None)


def _failure(url: str, exc: Exception) -> tuple[Exception, Exception]:
    """Return what keystoneauth1 raises for a request that failed so, in its words, and the cause of it."""
    import requests
    from keystoneauth1 import exceptions as ksa_exceptions

    if isinstance(exc, TimeoutError):
        kind = requests.ConnectTimeout if isinstance(exc, ConnectTimeout) else requests.ReadTimeout
        return ksa_exceptions.ConnectTimeout(f"Request to {url} timed out"), kind(exc)
    if isinstance(exc, http.client.IncompleteRead):
        broken = (f"Connection broken: {exc!r}", exc)
        return ksa_exceptions.UnknownConnectionError(f"Unexpected exception for {url}: {broken}", exc), exc
    aborted = ("Connection aborted.", exc)
    return ksa_exceptions.ConnectFailure(f"Unable to establish connection to {url}: {aborted}"), exc
