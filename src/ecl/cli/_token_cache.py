"""
The token and its catalog, kept for the next command, which then need not log in.

Tokens are kept by user and cloud: by the cloud's name, the authentication type and all of its options (the address of
Keystone, user, project, domains). A token is good for all regions.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ecl.cli import _cache

if TYPE_CHECKING:
    from ecl.config import CloudConfig

__all__ = ["MARGIN", "TokenCache"]

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


class TokenCache:
    """The place of one user's token on one cloud, in a file that only this user can read."""

    def __init__(self, key: str, secret: bytes) -> None:
        """
        Read nothing yet.

        Args:
            key: Cache key of the user and the cloud.
            secret: What the user logs in with. A token cached under another secret is not used.
        """
        self._key = key
        self._secret = secret

    @classmethod
    def of(cls, config: CloudConfig) -> Self | None:
        """Return the place of the token for *config*; None if tokens of its authentication type cannot be kept."""
        return cls(key_of(config), _secret_of(config.auth)) if config.auth_type in _CACHEABLE else None

    def read(self) -> Any:
        """Return ``auth_token`` and the ``body`` of Keystone's answer, which may be old; None if there is no token."""
        entry = _cache.read(_KIND, self._key)
        try:
            return entry if hmac.compare_digest(entry["check"], self._check(entry["auth_token"])) else None
        except (TypeError, KeyError, AttributeError, ValueError):
            # The file may hold anything.
            return None

    def write(self, state: str | None) -> None:
        """Keep a token: *state* is what keystoneauth1's ``get_auth_state`` returned."""
        if state is None:
            return
        entry = json.loads(state)
        _cache.write(_KIND, self._key, {**entry, "check": self._check(entry["auth_token"])})

    def forget(self) -> None:
        """Remove the token."""
        _cache.forget(_KIND, self._key)

    def _check(self, token: str) -> str:
        # Two bytes: enough to notice a changed password, too few to guess the password from the hash.
        return hmac.new(token.encode(), self._secret, "sha256").hexdigest()[:4]


def key_of(config: CloudConfig) -> str:
    """Return the cache key of this user on this cloud: a hash of all options except secrets."""
    options = {name: str(value) for name, value in config.auth.items() if not _is_secret(name)}
    return _cache.name_of([config.name, config.auth_type, sorted(options.items())])


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRETS)


def _secret_of(options: Mapping[str, Any]) -> bytes:
    return json.dumps(sorted((name, str(value)) for name, value in options.items() if _is_secret(name))).encode()
