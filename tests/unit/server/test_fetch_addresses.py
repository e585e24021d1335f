"""Where the service connects to on behalf of a client, as far as it can be told without a network."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest

from ecl.server.data.web.addresses import check_address, parse_target, resolve
from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImportSettings

DEFAULT = ImportSettings()
ANY_PORT = ImportSettings(allowed_ports=())


#: The networks that are not public; those of IPv6 whose embedded IPv4 addresses decide are not here.
NOT_PUBLIC = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_address_of_these_networks_is_public(text: str) -> None:
    """First, last and middle of each special network are refused, on any Python, and in IPv6 forms of them."""
    network = ip_network(text)
    for index in (0, network.num_addresses // 2, network.num_addresses - 1):
        address = network[index]
        forms = [address]
        if address.version == 4:
            number = int(address)
            mapped, nat64 = int(ip_address("::ffff:0:0")), int(ip_address("64:ff9b::"))
            forms += [IPv6Address(number), IPv6Address(mapped + number), IPv6Address(nat64 + number)]
            forms.append(IPv6Address((0x2002 << 112) + (number << 80) + 1))
        for form in forms:
            with pytest.raises(BadRequest, match="public internet"):
                check_address(form, DEFAULT)


@pytest.mark.parametrize("text", [text for text in NOT_PUBLIC if ":" not in text])
def test_neighbours_of_these_networks_are_public(text: str) -> None:
    """The address before and the one after a special IPv4 network are allowed, unless they are special, too."""
    network = IPv4Network(text)
    others = [IPv4Network(other) for other in NOT_PUBLIC if ":" not in other]
    for number in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= number < 2**32 and not any(IPv4Address(number) in other for other in others):
            check_address(IPv4Address(number), DEFAULT)


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.9",
        "192.0.0.192",
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "::ffff:0:127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:c0a8:101::",
        "2001:0:7f00:1::",
    ],
)
def test_addresses_beyond_the_public_internet_are_refused(address: str) -> None:
    """Private, loopback, link-local, multicast and reserved addresses are refused, also inside an IPv6 address."""
    with pytest.raises(BadRequest, match="public internet"):
        check_address(ip_address(address), DEFAULT)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    """What anybody can reach, the service can."""
    check_address(ip_address(address), DEFAULT)


def test_networks_of_the_settings_are_allowed_and_no_others() -> None:
    """allowed_networks adds what it names."""
    settings = ImportSettings(allowed_networks=("10.1.0.0/16", "fd00::/8"))

    check_address(ip_address("10.1.255.255"), settings)
    check_address(ip_address("fd00::5"), settings)
    with pytest.raises(BadRequest):
        check_address(ip_address("10.2.0.1"), settings)


@pytest.mark.parametrize(
    "uri",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://10.0.0.1:80/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://a.localhost/",
        "http://0/",
    ],
)
def test_hosts_that_are_inside_whatever_they_look_like(uri: str) -> None:
    """An address in decimal, octal, hexadecimal or shortened form is refused before anybody resolves it."""
    with pytest.raises(BadRequest):
        parse_target(uri, DEFAULT)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "images.example/x",
        "ftp://images.example/x",
        "file:///etc/passwd",
        "gopher://images.example/",
        "http:///x",
        "http://user@images.example/",
        "http://user:secret@images.example/",
        "http://images.example:99999/",
        "http://images.example:x/",
        "http://images.example/a b",
        "http://images.example/a\r\nX-Injected: 1",
        "http://images.example\\@127.0.0.1/",
        "http://bücher.example/",
        "http://%31%32%37.0.0.1/",
        "http://[::1/",
        "http://images.example:0/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "example/",
        "http://images..example/",
        "http://.images.example/",
        "http://images.example;x/",
    ],
)
def test_uris_that_cannot_be_fetched(uri: str) -> None:
    """Only plain http and https URLs with a host are taken."""
    with pytest.raises(BadRequest):
        parse_target(uri, ANY_PORT)


def test_ports_are_those_of_the_settings() -> None:
    """80 and 443 unless the settings say otherwise; no list means every port."""
    assert parse_target("https://images.example/x", DEFAULT).port == 443
    with pytest.raises(BadRequest, match="port 22"):
        parse_target("http://images.example:22/", DEFAULT)
    assert parse_target("http://images.example:22/", ANY_PORT).port == 22


def test_target_has_what_a_request_needs() -> None:
    """Path and query stay as they were, the fragment goes, and Host names the port if it is unusual."""
    target = parse_target("http://Images.Example:8080/a%20b?c=d#e", ANY_PORT)

    assert (target.host, target.path, target.host_header) == ("images.example", "/a%20b?c=d", "images.example:8080")
    assert parse_target("https://[2606:4700::1]", ANY_PORT).host_header == "[2606:4700::1]"


def test_a_name_with_one_bad_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points outside and inside at once is not to be trusted at all."""

    def two_answers(host: str, port: int, **_options: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two_answers)
    with pytest.raises(BadRequest, match=r"10\.0\.0\.1"):
        resolve(parse_target("http://images.example/", DEFAULT), DEFAULT)
