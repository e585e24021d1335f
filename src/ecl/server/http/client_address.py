"""The address of a client, also behind proxies that the settings trust."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["came_through_proxy", "client_address"]

#: Headers that a proxy adds: with one of these, the peer's address is not the client's.
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def client_address(scope: Scope, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """
    Return the address of the client of a request; "" if there is none.

    It is the peer's or, if that is a proxy in one of the *trusted* networks, the last address in ``X-Forwarded-For``
    that is no such proxy. What anybody else sends in that header is not believed.
    """
    address: str = (scope.get("client") or ("",))[0]
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")) if trusted else ""
    for before in reversed(forwarded.split(",")):
        if not _is_in(address, trusted) or not _is_address(before.strip()):
            break
        address = before.strip()
    return address


def came_through_proxy(scope: Scope) -> bool:
    """Return True if a proxy has said in a header of the request that it passed it on."""
    headers = Headers(scope=scope)
    return any(name in headers for name in _PROXY_HEADERS)


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
