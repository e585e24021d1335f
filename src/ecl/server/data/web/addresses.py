"""
The addresses to which web-download may connect: the public internet, and networks from the settings.

The client names a host. The service resolves the name once, checks every address, and connects to one of them, so a
name that resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import re
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
#: IPv4 networks that are not the public internet. The list of the standard library differs between releases of Python.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by the customers of a provider
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's service for its guests
            "169.254.0.0/16",  # link-local; metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # IETF protocols
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
#: IPv6 is public only where addresses are allocated, and where an address has a public IPv4 address in it.
_ALLOCATED = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocols: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
#: Translators (NAT64): the last 32 bits are an IPv4 address. The network of RFC 8215 is for local use, so not public.
_NAT64 = IPv6Network("64:ff9b::/96")
#: Most characters of a host name and of a label in it.
_MAX_HOST = 253
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


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
    if port == 0:
        raise BadRequest("The URI must not name port 0.")
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
        BadRequest: It is an address in an unusual form (``2130706433``, ``0x7f.1``, ``0177.0.0.1``), or not a name.
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
    if len(host) > _MAX_HOST or not all(map(_LABEL.fullmatch, host.split("."))):
        # The resolver would raise errors of its own for these.
        raise BadRequest(f"The host '{host[:80]}' is not a name that can be resolved.")
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
    for candidate in (address, _embedded(address)):
        if candidate is None or any(candidate in network for network in _networks(settings.allowed_networks)):
            return
        if not _is_public(candidate):
            raise BadRequest(f"The service does not connect to {address}: it is not on the public internet.")


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address in _NAT64:
        # The IPv4 address in it is checked, too.
        return True
    return address in _ALLOCATED and not any(address in network for network in _NOT_PUBLIC_6)


def _embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address in a public IPv6 address. No other form of IPv4 in IPv6 is public."""
    if isinstance(address, IPv4Address):
        return None
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.sixtofour


@cache
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)
