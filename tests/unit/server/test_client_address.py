"""Whose word about the client's address is believed."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from ecl.server.http.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        # Not a proxy of ours: what it says does not count.
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("::1", "198.51.100.7", "198.51.100.7"),
        # The client's own addition stands before what our proxy has seen.
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
    ],
)
def test_client_address(peer: str, forwarded: str, client: str) -> None:
    """The last address that no trusted proxy has, as far as trusted proxies have told."""
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []

    assert client_address({"client": (peer, 1), "headers": headers}, PROXIES) == client
    assert client_address({"client": (peer, 1), "headers": headers}, []) == peer
