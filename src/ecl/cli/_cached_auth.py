"""An authentication plugin that uses the token of an earlier command."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keystoneauth1 import access, plugin

from ecl.cli._token_cache import MARGIN, TokenCache

if TYPE_CHECKING:
    from ecl.config import CloudConfig

__all__ = ["CachedAuth", "cached"]


def cached(config: CloudConfig, make: Callable[[], plugin.BaseAuthPlugin]) -> plugin.BaseAuthPlugin:
    """
    Return the authentication plugin for *config*, with a token cache if its type allows one.

    Args:
        make: Creates the real plugin.
    """
    cache = TokenCache.of(config)
    return make() if cache is None else CachedAuth(make, cache)


class CachedAuth(plugin.BaseAuthPlugin):
    """
    A keystoneauth1 plugin that first tries the token of an earlier command.

    It wraps the real one, and creates that (and imports its module) only if there is no usable token.
    """

    def __init__(self, make: Callable[[], plugin.BaseAuthPlugin], cache: TokenCache) -> None:
        """Wrap the plugin that *make* creates; its tokens are kept in *cache*."""
        super().__init__()
        self._make = make
        self._cache = cache
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
                self._cache.write(real.get_auth_state())
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
            had_token = (self.auth_ref if self._has_read_cache else self._read()) is not None
            self.auth_ref = None
            self._has_read_cache = True
            self._cache.forget()
        return had_token

    def get_connection_params(self, session: Any) -> Any:
        """Return the connection parameters of the real plugin, if it has been created."""
        return self._plugin.get_connection_params(session) if self._plugin is not None else {}

    def _real(self) -> Any:
        if self._plugin is None:
            self._plugin = self._make()
        return self._plugin

    def _read(self) -> access.AccessInfo | None:
        entry = self._cache.read()
        try:
            found = access.create(body=entry["body"], auth_token=entry["auth_token"])
            return None if found.will_expire_soon(MARGIN) else found
        except Exception:  # noqa: BLE001 - the file may hold anything; then there is no token
            return None
