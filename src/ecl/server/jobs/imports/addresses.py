"""
The addresses to which web-download may connect: the public internet, and networks from the settings.

The client names a host. The service resolves the name once, checks every address, and connects to one of them, so a
name that resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImportSettings

__all__ = ["Target", "check_address", "parse_target", "resolve"]

Address = IPv4Address | IPv6Address

_PORTS = {"http": 80, "https": 443}
#: IPv6 networks whose last 32 bits are an IPv4 address: NAT64 and the old "compatible" form.
_IPV4_CARRIERS = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
#: Allocated IPv6 addresses, and NAT64; the documentation network is one of them.
_ALLOCATED = (IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96"))
_DOCUMENTATION = IPv6Network("3fff::/20")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. Its scheme and port are allowed, and its host if it is an address."""

    scheme: str
    host: str
    port: int
    #: With the query, as in a request line.
    path: str

    @property
    def host_header(self) -> str:
        """The Host header of the request."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def parse_target(uri: str, settings: ImportSettings) -> Target:
    """
    Parse *uri* and check it, without using the network.

    Raises:
        BadRequest: It is not an http or https URL, or the settings do not allow it.
    """
    try:
        parts = urlsplit(uri)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as exc:
        raise BadRequest("The URI cannot be read.") from exc
    if parts.scheme not in _PORTS or not host:
        raise BadRequest("The URI must begin with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise BadRequest("The URI must not hold a user name or a password.")
    if not uri.isascii() or any(char <= " " or char == "\x7f" for char in uri) or "%" in host or "\\" in uri:
        raise BadRequest("The URI holds characters that must be percent-encoded.")
    port = _PORTS[parts.scheme] if port is None else port
    if settings.allowed_ports and port not in settings.allowed_ports:
        allowed = ", ".join(map(str, settings.allowed_ports))
        raise BadRequest(f"The service does not connect to port {port}, only to {allowed}.")
    address = _literal(host)
    if address is not None:
        check_address(address, settings)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def _literal(host: str) -> Address | None:
    """
    Return the address in *host*, None if it is a name.

    Raises:
        BadRequest: It is an address in an unusual form: ``2130706433``, ``0x7f.1``, ``0177.0.0.1``.
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    last = host.rpartition(".")[2]
    # No top-level domain looks like a number; some resolvers read a host that ends in one as an address.
    if ":" in host or last.isdigit() or last[:2] == "0x":
        raise BadRequest(f"The host '{host[:80]}' is neither a name nor an address in its usual form.")
    return None


def resolve(target: Target, settings: ImportSettings) -> Sequence[Address]:
    """
    Return the addresses of the target's host, after checking each.

    Raises:
        BadRequest: One of them is not allowed: a name that also has an internal address is not trusted.
        OSError: The name cannot be resolved.
    """
    entries = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in entries))
    for address in addresses:
        check_address(address, settings)
    return addresses


def check_address(address: Address, settings: ImportSettings) -> None:
    """
    Raise BadRequest unless the service may connect to *address*.

    An IPv4 address inside an IPv6 address is checked, too.
    """
    for candidate in (address, *_embedded(address)):
        if any(candidate in network for network in _networks(settings.allowed_networks)):
            return
        if not _is_public(candidate):
            raise BadRequest(f"The service does not connect to {address}: it is not on the public internet.")


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        is_allocated = any(address in network for network in _ALLOCATED)
        return is_allocated and address.is_global and address not in _DOCUMENTATION
    return address.is_global and not address.is_multicast


def _embedded(address: Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _IPV4_CARRIERS):
        embedded.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [ipv4 for ipv4 in embedded if ipv4 is not None]


@cache
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)
