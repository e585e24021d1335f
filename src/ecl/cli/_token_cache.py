"""
Keep the token for the next command, which then need not log in.

The plugin here wraps the real one. It creates the real plugin (and imports its module)
only if there is no usable token.
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
#: Seconds before its expiry at which a token is no longer used.
MARGIN = 120

#: Authentication types whose tokens can be used without their plugin.
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
    Return the authentication plugin for *config*, with a token cache if its type allows one.

    Args:
        make: Creates the real plugin.
    """
    if config.auth_type not in _CACHEABLE:
        return make()
    return CachedAuth(make, key_of(config), _secret_of(config.auth))


def key_of(config: CloudConfig) -> str:
    """Return the cache key of this user on this cloud: a hash of all options except secrets."""
    options = {name: str(value) for name, value in config.auth.items() if not _is_secret(name)}
    return _cache.name_of([config.name, config.auth_type, sorted(options.items())])


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRETS)


def _secret_of(options: Mapping[str, Any]) -> bytes:
    return json.dumps(sorted((name, str(value)) for name, value in options.items() if _is_secret(name))).encode()


class CachedAuth(plugin.BaseAuthPlugin):
    """A keystoneauth1 plugin that first tries the token of an earlier command."""

    def __init__(self, make: Callable[[], plugin.BaseAuthPlugin], key: str, secret: bytes) -> None:
        """
        Wrap the plugin that *make* creates.

        Args:
            key: Cache key of the user and the cloud.
            secret: What the real plugin logs in with. A token cached under another secret is not used.
        """
        super().__init__()
        self._make = make
        self._key = key
        self._secret = secret
        self._plugin: Any = None
        self._has_read_cache = False
        self._lock = threading.Lock()
        #: The token in use, with the catalog.
        self.auth_ref: access.AccessInfo | None = None

    def get_access(self, session: Any, **kwargs: Any) -> access.AccessInfo:
        """Return a token valid for at least :data:`MARGIN` seconds; log in if the cached one is not."""
        with self._lock:
            if self.auth_ref is None and not self._has_read_cache:
                self.auth_ref = self._read()
            self._has_read_cache = True
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
        """Return a service's address from the token's catalog; if discovery is needed, ask the real plugin."""
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
        """Drop the token, here and in the cache. Returns true if there was one."""
        with self._lock:
            had_token = self.auth_ref is not None
            self.auth_ref = None
            self._has_read_cache = True
            _cache.forget(_KIND, self._key)
        return had_token

    def get_connection_params(self, session: Any) -> Any:
        """Return the connection parameters of the real plugin, if it has been created."""
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
        except Exception:  # noqa: BLE001 - the file may hold anything; then there is no token
            return None

    def _write(self, state: str | None) -> None:
        if state is None:
            return
        entry = json.loads(state)
        _cache.write(_KIND, self._key, {**entry, "check": self._check(entry["auth_token"])})

    def _check(self, token: str) -> str:
        # Two bytes: enough to notice a changed password, too few to guess the password from the hash.
        return hmac.new(token.encode(), self._secret, "sha256").hexdigest()[:4]
