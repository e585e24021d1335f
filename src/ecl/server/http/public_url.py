"""The URL by which a client knows the service."""

from __future__ import annotations

import re

from starlette.types import Scope

from ecl.server.settings.keystone import client_url
from ecl.server.settings.model import Settings

__all__ = ["auth_url", "public_url"]

#: A host name or address with an optional port; any other Host header is ignored.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def auth_url(settings: Settings, scope: Scope) -> str:
    """Return the URL of the Keystone whose tokens the service takes, for the client that sent a request."""
    if settings.keystone is not None:
        return client_url(settings.keystone)
    return f"{public_url(settings, scope)}/v3"


def public_url(settings: Settings, scope: Scope) -> str:
    """
    Return the service's URL for the client that sent a request, without a slash at its end.

    This is ``settings.public_url`` or, without one, the address that the client used (its Host header).
    """
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    scheme = scope.get("scheme", "http")
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1")
            if _HOST.fullmatch(host):
                return f"{scheme}://{host}"
    host, port = scope.get("server") or (settings.host, settings.port)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
