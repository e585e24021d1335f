"""POST /v2/images."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from ecl.server.settings.model import ImageLimits
from support.region_service import LICENSE_TYPES, Client, project_id, run_region


def test_defaults_of_an_empty_creation(alpha: Client) -> None:
    """An empty object makes a queued, shared image of the caller's project."""
    response = alpha.request("POST", "/v2/images", json={})

    image = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{alpha.url}/v2/images/{image['id']}"
    created = image.pop("created_at")
    assert image.pop("updated_at") == created
    assert created.endswith("Z")
    image_id = image.pop("id")
    assert image == {
        "name": None,
        "disk_format": None,
        "container_format": None,
        "visibility": "shared",
        "size": None,
        "virtual_size": None,
        "status": "queued",
        "checksum": None,
        "protected": False,
        "min_ram": 0,
        "min_disk": 0,
        "owner": project_id("alpha"),
        "os_hidden": False,
        "os_hash_algo": None,
        "os_hash_value": None,
        "tags": [],
        "self": f"/v2/images/{image_id}",
        "file": f"/v2/images/{image_id}/file",
        "schema": "/v2/schemas/image",
    }


def test_custom_properties_come_back_first_and_in_order(alpha: Client) -> None:
    """Dotted, empty and non-ASCII names, long and four-byte texts are all kept, before the base attributes."""
    properties = {"zeta": "1", ".os.type": "linux", "": "e", "a/b~c d": "", "ключ": "💽", "long": "x" * 65_536}
    image = alpha.create(name="n", **properties)

    text = alpha.get(f"/v2/images/{image['id']}").text
    assert list(json.loads(text))[: len(properties)] == list(properties)
    assert {name: image[name] for name in properties} == properties
    assert "💽" in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"[]",
        b'"x"',
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": 5}',
        b'{"disk_format": "floppy"}',
        b'{"visibility": null}',
        b'{"min_ram": null}',
        b'{"min_ram": true}',
        b'{"min_ram": 1.5}',
        b'{"min_ram": "1"}',
        b'{"min_disk": -1}',
        b'{"min_disk": 2147483648}',
        b'{"tags": null}',
        b'{"protected": "true"}',
        b'{"id": null}',
        b'{"id": "not-a-uuid"}',
        b'{"custom": 1}',
        b'{"custom": null}',
        b'{"custom": {"a": "b"}}',
        b'{"name": "nul \\u0000"}',
        b'{"nul \\u0000": "x"}',
        json.dumps({"name": "x" * 256}).encode(),
        json.dumps({"tags": ["x" * 256]}).encode(),
        json.dumps({"x" * 256: "long name"}).encode(),
    ],
)
def test_what_does_not_fit_is_400(alpha: Client, body: bytes) -> None:
    """A body that is no image is 400, and nothing is made."""
    assert alpha.request("POST", "/v2/images", data=body).status_code == 400
    assert alpha.list_ids() == []


def test_the_message_names_the_key(alpha: Client) -> None:
    """The error of a bad value names its key and stays short, whatever the client sent."""
    response = alpha.request("POST", "/v2/images", json={"min_ram": "x" * 100_000})
    assert "min_ram" in response.json()["message"]
    assert len(response.text) < 1000


@pytest.mark.parametrize(
    "name",
    [
        "status",
        "size",
        "checksum",
        "created_at",
        "self",
        "file",
        "schema",
        "stores",
        "locations",
        "os_hash_algo",
        "location",
        "deleted",
        "deleted_at",
        "os_glance_anything",
    ],
)
def test_what_only_the_service_sets_is_403(alpha: Client, name: str) -> None:
    """Read-only attributes and reserved names are refused, also with values of the right type."""
    value = {"status": "active", "size": 3, "locations": []}.get(name, "x")
    assert alpha.request("POST", "/v2/images", json={name: value}).status_code == 403


def test_who_may_create_what(alpha: Client, admin: Client, region: Any) -> None:
    """Public images and images of others are an administrator's to make; a reader makes none."""
    for body in ({"visibility": "public"}, {"owner": "other"}, {"owner": None}, {"owner": ""}):
        assert alpha.request("POST", "/v2/images", json=body).status_code == 403
        assert admin.request("POST", "/v2/images", json=body).status_code == 201
    assert alpha.create(owner=project_id("alpha"))["owner"] == project_id("alpha")
    for roles in (("reader",), ()):
        assert region.client(roles=roles).request("POST", "/v2/images", json={}).status_code == 403


def test_ids_are_used_once_for_ever(alpha: Client, beta: Client) -> None:
    """An ID of one's own is kept in lower case, and never given again, not even after a delete."""
    chosen = str(uuid.uuid4())
    assert alpha.create(id=chosen.upper())["id"] == chosen
    assert alpha.show(chosen.upper())["id"] == chosen
    assert beta.request("POST", "/v2/images", json={"id": chosen}).status_code == 409
    assert alpha.request("DELETE", f"/v2/images/{chosen}").status_code == 204
    assert alpha.request("POST", "/v2/images", json={"id": chosen}).status_code == 409


def test_license_switch_is_checked_and_kept(alpha: Client) -> None:
    """A licence switch type of the region is an ordinary property; any other is refused with the list."""
    image = alpha.create(license_switch=LICENSE_TYPES[1])
    assert alpha.show(image["id"])["license_switch"] == LICENSE_TYPES[1]

    response = alpha.request("POST", "/v2/images", json={"license_switch": "Solaris"})
    assert response.status_code == 400
    assert all(name in response.json()["message"] for name in LICENSE_TYPES)

    patched = alpha.patch(image["id"], {"op": "replace", "path": "/license_switch", "value": "Solaris"})
    assert patched.status_code == 400
    assert alpha.patch(image["id"], {"op": "remove", "path": "/license_switch"}).status_code == 200


def test_license_switch_types_of_the_region(alpha: Client) -> None:
    """The types come from the region's settings."""
    response = alpha.get("/v2/extension/license_switch/types")
    assert response.json() == {"license_switch_types": list(LICENSE_TYPES)}


def test_quotas_and_body_size(tmp_path: Path) -> None:
    """One property, tag or byte more than allowed is 413; as many as allowed are fine."""
    limits = ImageLimits(image_property_quota=2, image_tag_quota=2, max_json_body=1000)
    with run_region(tmp_path, limits=limits) as service:
        client = service.client()
        client.create(a="1", b="2", tags=["x", "y", "x"])
        for body in ({"a": "1", "b": "2", "c": "3"}, {"tags": ["x", "y", "z"]}, {"name": "x" * 1000}):
            assert client.request("POST", "/v2/images", json=body).status_code == 413
        chunked = client.request("POST", "/v2/images", data=iter([b" " * 600, b" " * 600]))
        assert chunked.status_code == 413
