"""The session: keystoneauth1's, with this library's preferences, errors and the ways of ECL's Keystone."""

from __future__ import annotations

import copy
import functools
import json
import urllib.parse
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import requests
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import plugin
from keystoneauth1 import session as ksa_session
from keystoneauth1.adapter import Adapter

from ecl import _http
from ecl._http import bounds, tls
from ecl._http.http_session import HttpSession
from ecl._http.sessions import LONG_CALL, as_session, renew_token_before_long_call
from ecl.profile import Profile
from ecl.version import __version__

__all__ = [
    "DEFAULT_USER_AGENT",
    "LONG_CALL",
    "Session",
    "as_session",
    "map_exceptions",
    "renew_token_before_long_call",
    "with_preferences",
]

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_USER_AGENT = f"ecl-image/{__version__}"
_API_VERSION_HEADER = "ecl-api-version"


class Session(ksa_session.Session):
    """A keystoneauth1 session that knows a :class:`~ecl.profile.Profile`."""

    def __init__(
        self,
        profile: Profile | None = None,
        user_agent: str | None = None,
        *,
        endpoint_overrides: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Make a session.

        Args:
            profile: Region, interface, name and version to prefer for each service.
            user_agent: Put before this library's own in the User-Agent header.
            endpoint_overrides: Service type to address; such a service is not looked up in the catalog.
            kwargs: As keystoneauth1's Session takes them: *auth*, *verify*, *cert*, *timeout* (seconds) …
        """
        self.profile = profile or Profile()
        self.endpoint_overrides = endpoint_overrides or {}
        agent = f"{user_agent} {DEFAULT_USER_AGENT}" if user_agent else DEFAULT_USER_AGENT
        versions = [
            f"{service.service_type} {service.api_version}"
            for service in self.profile.get_services()
            if service.api_version
        ]
        if versions:
            kwargs.setdefault("additional_headers", {})[_API_VERSION_HEADER] = ",".join(versions)
        own = HttpSession() if _makes_its_own(kwargs) else None
        if own is not None:
            kwargs["session"] = own
        super().__init__(user_agent=agent, **kwargs)
        # keystoneauth1 closes what it has made itself, and this is in place of that.
        self._session = own or self._session
        #: Addresses of services by what was asked for, of the log-in that they are from.
        self._addresses: tuple[object, dict[Any, str | None]] = (None, {})

    def get_endpoint(
        self,
        auth: plugin.BaseAuthPlugin | None = None,
        interface: str | None = None,
        service_type: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """
        Return the address of a service of any type, by the profile's preferences; None if there is no catalog.

        What the caller asks for counts where the profile prefers nothing.

        Raises:
            keystoneauth1.exceptions.EndpointNotFound: The catalog has no such endpoint.
        """
        if service_type in self.endpoint_overrides:
            return self.endpoint_overrides[service_type]
        wanted = {"service_type": service_type, "interface": interface, **kwargs}
        if service_type is not None and interface is not plugin.AUTH_INTERFACE:
            wanted.update(self.profile.preferences(service_type))
        if service_type == "image" or "requires_project_id" in kwargs:
            # A ServiceFilter, as resources ask with. The address is used as the catalog has it: nothing is discovered.
            for name in ("version", "api_version", "requires_project_id"):
                wanted.pop(name, None)
        access = None if auth is not None else getattr(self.auth, "auth_ref", None)
        if access is None:
            return super().get_endpoint(auth, **wanted)
        # keystoneauth1 copies the whole catalog each time.
        of_access, addresses = self._addresses
        if of_access is not access:
            addresses = {}
            self._addresses = (access, addresses)
        key = tuple(sorted((name, repr(value)) for name, value in wanted.items()))
        if key not in addresses:
            addresses[key] = super().get_endpoint(auth, **wanted)
        return addresses[key]

    def request(self, url: str, method: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """
        Send a request, as keystoneauth1's Session does, and raise this library's exceptions.

        Raises:
            ConfigException: A file of certificates that was named is not there.
            HttpException: The service answered with an error, and *raise_exc* is not False.
            ConnectFailure: There was no answer.
        """
        headers = dict(kwargs.get("headers") or {})
        if not headers.get("Accept"):
            headers["Accept"] = "application/json"
        kwargs["headers"] = headers
        if kwargs.get("requests_auth") is None:
            # Without one, requests would send the password that ~/.netrc has for the host.
            kwargs["requests_auth"] = _as_it_is
        if not self.timeout:
            # Keystone does not keep anybody waiting for ever, either; unless 0 asks for that.
            kwargs.setdefault("timeout", _http.TIMEOUT if self.timeout is None else None)
        if kwargs.get("authenticated") is False:
            # A log-in or a discovery on its way: keystoneauth1 expects its own exceptions here. They are
            # translated where the request that needed it was sent.
            kwargs["hooks"] = bounds.bounded(self)
            try:
                with tls.named_files(self):
                    response = super().request(url, method, **kwargs)
            except ksa_exceptions.ConnectTimeout as exc:
                if not _http.is_silence(exc):
                    raise
                # Of its own exceptions keystoneauth1 would think that another address might answer, and wait again.
                with _http.translated():
                    raise
            _expect_https(response)
            return response
        with _http.translated(), tls.named_files(self):
            return super().request(url, method, **kwargs)


def _makes_its_own(kwargs: dict[str, Any]) -> bool:
    """Tell whether keystoneauth1's session would make one of requests, and without settings of its own for TLS."""
    return not any(kwargs.get(name) for name in ("session", "tls_ciphers", "tls_min_version"))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authenticate a request in the way of requests: the token is in its headers already."""
    return request


def map_exceptions(func: Callable[P, R]) -> Callable[P, R]:
    """Make a function raise this library's exceptions where it would raise those of keystoneauth1 or requests."""

    @functools.wraps(func)
    def mapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with _http.translated():
            return func(*args, **kwargs)

    return mapped


def _expect_https(response: requests.Response) -> None:
    """
    Take http links as https in a discovery document that came by https.

    ECL's Keystone is reached by https only, and names itself by http.
    """
    asked = urllib.parse.urlsplit(response.url)
    if asked.scheme != "https" or "json" not in response.headers.get("Content-Type", ""):
        return
    try:
        document = response.json()
    except ValueError:
        return
    links = list(_links(document))
    for link in links:
        href = urllib.parse.urlsplit(str(link.get("href", "")))
        if href.scheme == "http" and href.hostname == asked.hostname:
            link["href"] = urllib.parse.urlunsplit(href._replace(scheme="https"))
    if links:
        # requests has no public way to give an answer another body.
        response._content = json.dumps(document).encode()


def _links(document: object) -> Any:
    """Yield the links of a version document: ``version``, ``versions`` or ``versions.values``."""
    if not isinstance(document, dict):
        return
    versions = document.get("version") or document.get("versions")
    if isinstance(versions, dict):
        versions = versions.get("values", [versions])
    for version in versions if isinstance(versions, list) else []:
        if isinstance(version, dict):
            yield from (link for link in version.get("links") or [] if isinstance(link, dict))


def with_preferences(session: Any, profile: Profile, overrides: dict[str, str]) -> Any:
    """
    Return *session* with a profile's preferences for the image service; or *session* itself without preferences.

    Args:
        overrides: Service type to address.
    """
    wanted = profile.preferences("image")
    wanted.pop("service_type")
    if not wanted and not overrides:
        return session
    # The caller's own is left as it is: others may use it, too. Both share the log-in and the connections.
    result = copy.copy(session)
    if isinstance(session, Session):
        result.profile = session.profile.overlaid(profile)
        result.endpoint_overrides = {**session.endpoint_overrides, **overrides}
        return result
    if not isinstance(session, Adapter):
        result = Adapter(session)
    for name, value in wanted.items():
        setattr(result, name, value)
    if "image" in overrides:
        result.endpoint_override = overrides["image"]
    return result
