"""The session: keystoneauth1's, with this library's preferences, errors and the ways of ECL's Keystone."""

from __future__ import annotations

import datetime
import json
import urllib.parse
from typing import Any

import requests
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import plugin
from keystoneauth1 import session as ksa_session

from ecl import _http, exceptions
from ecl.profile import Profile
from ecl.version import __version__

__all__ = ["DEFAULT_USER_AGENT", "LONG_CALL", "Session", "as_session", "renew_token_before_long_call"]

DEFAULT_USER_AGENT = f"ecl-image/{__version__}"
#: A call that may last gets a token that is good for this many seconds at least.
LONG_CALL = 300
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
        super().__init__(user_agent=agent, **kwargs)

    def get_endpoint(
        self,
        auth: plugin.BaseAuthPlugin | None = None,
        interface: str | None = None,
        service_type: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """
        Return a service's address, by the profile's preferences; None if the catalog has none.

        What the caller asks for counts where the profile prefers nothing.
        """
        if service_type in self.endpoint_overrides:
            return self.endpoint_overrides[service_type]
        wanted = {"service_type": service_type, "interface": interface, **kwargs}
        if service_type is not None:
            wanted.update(self.profile.get_filter(service_type).get_filter())
        for name in ("version", "api_version", "requires_project_id"):
            wanted.pop(name, None)
        return super().get_endpoint(auth, **wanted)

    def request(self, url: str, method: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """
        Send a request, as keystoneauth1's Session does, and raise this library's exceptions.

        Raises:
            HttpException: The service answered with an error, and *raise_exc* is not False.
            ConnectFailure: There was no answer.
        """
        headers = dict(kwargs.get("headers") or {})
        if not headers.get("Accept"):
            headers["Accept"] = "application/json"
        kwargs["headers"] = headers
        if not self.timeout:
            # Keystone does not keep anybody waiting for ever, either; unless 0 asks for that.
            kwargs.setdefault("timeout", _http.TIMEOUT if self.timeout is None else None)
        if kwargs.get("authenticated") is False:
            # A log-in or a discovery on its way: keystoneauth1 expects its own exceptions here. They are
            # translated where the request that needed it was sent.
            try:
                response = super().request(url, method, **kwargs)
            except ksa_exceptions.ConnectTimeout as exc:
                if not _http.is_silence(exc):
                    raise
                # Of its own exceptions keystoneauth1 would think that another address might answer, and wait again.
                with _http.translated():
                    raise
            _expect_https(response)
            return response
        with _http.translated():
            return super().request(url, method, **kwargs)


def renew_token_before_long_call(session: Any) -> None:
    """
    Get a new token if the present one ends within :data:`LONG_CALL` seconds.

    A service checks the token when a request begins; some check it again when it ends. Whoever cannot get a new
    one (a token that was given ready-made) goes on with what is left.

    Raises:
        UnauthorizedException: The token has ended, and the credentials are not accepted (any more).
    """
    base = _http.below_adapter(session)
    auth = getattr(session, "auth", None) or getattr(base, "auth", None)
    access = getattr(auth, "get_access", None)
    if access is None:
        return
    with _http.translated():
        expires = access(base).expires
    left = (expires - datetime.datetime.now(datetime.UTC)).total_seconds() if expires else LONG_CALL
    if left >= LONG_CALL:
        return
    present = getattr(auth, "auth_ref", None)
    try:
        with _http.translated():
            session.invalidate()
            session.get_token()
    except exceptions.HttpException:
        if left <= 0 or present is None:
            raise
        auth.auth_ref = present  # type: ignore[union-attr]  # it has one


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


def as_session(session: object) -> Any:
    """
    Return what can send requests: a keystoneauth1 Session or Adapter, or that of a connection.

    Raises:
        InvalidRequest: *session* is none of these.
    """
    if hasattr(session, "get_endpoint") and hasattr(session, "request"):
        return session
    inner = getattr(session, "session", None)
    if inner is not None and hasattr(inner, "get_endpoint"):
        return inner
    raise exceptions.InvalidRequest(
        "session must be an ecl Session, a keystoneauth1 Session or Adapter, or a connection that has one, not "
        + type(session).__name__
    )
