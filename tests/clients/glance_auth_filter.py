"""
Stands in for Keystone before a real Glance: a paste filter that knows a few fixed tokens.

Glance imports this module in its own venv, the tests in theirs; so it needs the standard library alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["IDENTITIES", "Identity", "TokenFilter", "filter_factory"]


@dataclass(frozen=True)
class Identity:
    """Who a token stands for. Its token is its name."""

    name: str
    project_id: str
    roles: tuple[str, ...]

    @property
    def token(self) -> str:
        """What to send as ``X-Auth-Token``."""
        return f"token-of-{self.name}"


_PROJECT_A = "a" * 32
_PROJECT_B = "b" * 32

#: Roles as Keystone puts them into tokens: each implies the lesser ones.
IDENTITIES = {
    identity.name: identity
    for identity in (
        Identity("member", _PROJECT_A, ("member", "reader")),
        Identity("reader", _PROJECT_A, ("reader",)),
        Identity("admin", _PROJECT_A, ("admin", "member", "reader")),
        Identity("other", _PROJECT_B, ("member", "reader")),
    )
}
_BY_TOKEN = {identity.token: identity for identity in IDENTITIES.values()}


class TokenFilter:
    """WSGI middleware that tells Glance who sent a request, in the headers of keystonemiddleware."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on; Glance itself refuses whoever is not confirmed."""
        for key in [key for key in environ if key.startswith("HTTP_X_IDENTITY") or key in _IDENTITY_KEYS]:
            del environ[key]
        identity = _BY_TOKEN.get(environ.get("HTTP_X_AUTH_TOKEN", ""))
        environ["HTTP_X_IDENTITY_STATUS"] = "Confirmed" if identity else "Invalid"
        if identity:
            environ["HTTP_X_USER_ID"] = f"user-{identity.name}"
            environ["HTTP_X_PROJECT_ID"] = identity.project_id
            environ["HTTP_X_ROLES"] = ",".join(identity.roles)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status.startswith("401"):
                headers = [*headers, ("WWW-Authenticate", 'Keystone uri="http://127.0.0.1/v3"')]
            return start_response(status, headers, *rest)

        return self._app(environ, start)


_IDENTITY_KEYS = {"HTTP_X_USER_ID", "HTTP_X_PROJECT_ID", "HTTP_X_TENANT_ID", "HTTP_X_ROLES", "HTTP_X_ROLE"}


def filter_factory(_global_conf: dict[str, str], **_conf: str) -> Callable[..., TokenFilter]:
    """What paste.deploy calls."""
    return TokenFilter
