"""Sessions of the service with its own API, with tokens that it issues itself."""

from __future__ import annotations

import threading
from typing import Any

import requests
from keystoneauth1 import plugin

from ecl import session as sdk_session
from ecl.server.clock import MICROSECONDS, now
from ecl.server.identity.accounts import Accounts

__all__ = ["own_session"]


class _OwnAuth(plugin.BaseAuthPlugin):
    """Gives tokens of the service's own user."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__()
        self._accounts = accounts
        self._lock = threading.Lock()
        self._token = ""
        self._expires_at = 0

    def get_token(self, session: Any, **kwargs: Any) -> str:
        """Return a token that stays valid for a long call."""
        del session, kwargs
        with self._lock:
            if self._expires_at - now() < sdk_session.LONG_CALL * MICROSECONDS:
                self._token, self._expires_at = self._accounts.own_token()
            return self._token

    def invalidate(self) -> bool:
        """Forget the token."""
        with self._lock:
            self._expires_at = 0
        return True


def own_session(accounts: Accounts, own_url: str, region: str) -> sdk_session.Session:
    """
    Return a session with the image API of a *region* of this process, as the service's own user with the role admin.

    Args:
        own_url: URL of this process.
    """
    http = requests.Session()
    # Proxies of the environment are for other hosts.
    http.trust_env = False
    if own_url.startswith("https:"):
        import urllib3

        # The server is this process itself; its certificate has the name that clients use.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return sdk_session.Session(
        auth=_OwnAuth(accounts),
        session=http,
        verify=False,
        endpoint_overrides={"image": f"{own_url}/image/{region}"},
    )
