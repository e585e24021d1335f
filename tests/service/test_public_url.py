"""A service behind a proxy that ends TLS: `public_url` is the address in all that clients are told."""

from __future__ import annotations

import socket

import requests

from ecl.testing import ImageService

PUBLIC = "https://images.example:8443"


def test_clients_are_sent_to_the_public_address() -> None:
    """Catalog, version documents and Location have it, whatever Host or X-Forwarded-Proto a request has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = f"http://127.0.0.1:{port}"
    with ImageService(("jp1",), public_url=f"{PUBLIC}/", port=port) as service:
        user = service.credentials("jp1")
        password = {"name": user["username"], "password": user["password"], "domain": {"id": "default"}}
        scope = {"project": {"id": user["project_id"]}}
        login = {"identity": {"methods": ["password"], "password": {"user": password}}, "scope": scope}
        forwarded = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "other.example"}
        token = requests.post(f"{own}/v3/auth/tokens", json={"auth": login}, headers=forwarded, timeout=30)
        catalog = {entry["type"]: entry["endpoints"] for entry in token.json()["token"]["catalog"]}
        image = next(each["url"] for each in catalog["image"])
        headers = {"X-Auth-Token": token.headers["X-Subject-Token"], **forwarded}
        local = image.replace(PUBLIC, own)
        made = requests.post(f"{local}/v2/images", json={}, headers=headers, timeout=30)
        versions = requests.get(f"{local}/", headers=forwarded, timeout=30)

    assert {each["url"].startswith(f"{PUBLIC}/") for found in catalog.values() for each in found} == {True}
    assert made.headers["Location"] == f"{image}/v2/images/{made.json()['id']}"
    links = [link["href"] for version in versions.json()["versions"] for link in version["links"]]
    assert links
    assert all(link.startswith(f"{image}/v2") for link in links)
