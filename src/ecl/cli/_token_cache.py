"""
A token that outlives the command, so that the next one need not log in.

The plugin here stands in front of the real one, which is made (and whose module is imported) only when there is no
token to go on with.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keystoneauth1 import access, plugin

from ecl.cli import _cache

if TYPE_CHECKING:
    from ecl.config import CloudConfig

__all__ = ["CachedAuth", "cached"]

_KIND = "tokens"
#: Seconds before its end from which on a token is not used any more.
MARGIN = 120

#: Types whose tokens can be used without the plugin that got them.
_CACHEABLE = frozenset(
    {
        "password", "token", "v3applicationcredential", "v3multifactor", "v3oidcaccesstoken", "v3oidcauthcode",
        "v3oidcclientcredentials", "v3oidcdeviceauthz", "v3oidcpassword", "v3password", "v3samlpassword", "v3token",
        "v3totp",
    }
)  # fmt: skip
_SECRETS = ("password", "secret", "token", "passcode", "code")


def cached(config: CloudConfig, make: Callable[[], plugin.BaseAuthPlugin]) -> plugin.BaseAuthPlugin:
    """
    Return the plugin of *config*, with a token cache where its type allows one.

    Args:
        make: Makes the real plugin.
    """
    if config.auth_type not in _CACHEABLE:
        return make()
    return CachedAuth(make, key_of(config), _secret_of(config.auth))


def key_of(config: CloudConfig) -> str:
    """Return what tells one user of one cloud from another: a hash of all that is no secret."""
    options = {name: str(value) for name, value in config.auth.items() if not _is_secret(name)}
    return _cache.name_of([config.name, config.auth_type, sorted(options.items())])


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRETS)


def _secret_of(options: Mapping[str, Any]) -> bytes:
    return json.dumps(sorted((name, str(value)) for name, value in options.items() if _is_secret(name))).encode()


class CachedAuth(plugin.BaseAuthPlugin):
    """A keystoneauth1 plugin that begins with the token of an earlier command."""

    def __init__(self, make: Callable[[], plugin.BaseAuthPlugin], key: str, secret: bytes) -> None:
        """
        Stand in front of the plugin that *make* makes.

        Args:
            key: Whose token it is.
            secret: What the real plugin logs in with; another one is not served by the token of this one.
        """
        super().__init__()
        self._make = make
        self._key = key
        self._secret = secret
        self._plugin: Any = None
        self._looked = False
        self._lock = threading.Lock()
        #: The token in use, with the catalog.
        self.auth_ref: access.AccessInfo | None = None

    def get_access(self, session: Any, **kwargs: Any) -> access.AccessInfo:
        """Return a token that is good for :data:`MARGIN` seconds at least, logging in if need be."""
        with self._lock:
            if self.auth_ref is None and not self._looked:
                self.auth_ref = self._read()
            self._looked = True
            if self.auth_ref is None or self.auth_ref.will_expire_soon(MARGIN):
                real = self._real()
                real.invalidate()
                found = real.get_access(session, **kwargs)
                self.auth_ref = found
                self._write(real.get_auth_state())
                return found  # type: ignore[no-any-return]  # keystoneauth1's
            return self.auth_ref

    def get_token(self, session: Any) -> str | None:
        """Return the token."""
        return self.get_access(session).auth_token

    def get_project_id(self, session: Any) -> str | None:
        """Return the ID of the project that the token is for."""
        return self.get_access(session).project_id

    def get_user_id(self, session: Any) -> str | None:
        """Return the ID of the user that the token is for."""
        return self.get_access(session).user_id

    def get_endpoint(self, session: Any, **kwargs: Any) -> str | None:
        """Return a service's address from the token's catalog; with discovery, by the real plugin."""
        found = self.get_access(session)
        if not kwargs.get("skip_discovery") or kwargs.get("interface") is plugin.AUTH_INTERFACE:
            real = self._real()
            real.auth_ref = found
            return real.get_endpoint(session, **kwargs)  # type: ignore[no-any-return]  # keystoneauth1's
        return found.service_catalog.url_for(
            service_type=kwargs.get("service_type"),
            interface=kwargs.get("interface") or "public",
            region_name=kwargs.get("region_name"),
            service_name=kwargs.get("service_name"),
        )

    def invalidate(self) -> bool:
        """Forget the token, here and in the cache; true if there was one."""
        with self._lock:
            had = self.auth_ref is not None
            self.auth_ref = None
            self._looked = True
            _cache.forget(_KIND, self._key)
        return had

    def get_connection_params(self, session: Any) -> Any:
        """Return what the real plugin asks of a connection, once there is one."""
        return self._plugin.get_connection_params(session) if self._plugin is not None else {}

    def _real(self) -> Any:
        if self._plugin is None:
            self._plugin = self._make()
        return self._plugin

    def _read(self) -> access.AccessInfo | None:
        entry = _cache.read(_KIND, self._key)
        try:
            if not hmac.compare_digest(entry["check"], self._check(entry["auth_token"])):
                return None
            found = access.create(body=entry["body"], auth_token=entry["auth_token"])
            return None if found.will_expire_soon(MARGIN) else found
        except Exception:  # noqa: BLE001 - whatever is in the file, it is not a token then
            return None

    def _write(self, state: str | None) -> None:
        if state is None:
            return
        entry = json.loads(state)
        _cache.write(_KIND, self._key, {**entry, "check": self._check(entry["auth_token"])})

    def _check(self, token: str) -> str:
        # Two bytes: enough to notice another password, too little to find it by trying.
        return hmac.new(token.encode(), self._secret, "sha256").hexdigest()[:4]
