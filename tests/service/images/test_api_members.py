"""Members, visibility, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecl.server.settings.model import ImageLimits
from support.region_service import Client, RegionService, project_id, run_region

BETA = project_id("beta")


def invite(client: Client, image: dict[str, Any], member: Any = BETA) -> Any:
    """Offer *image* to a project."""
    return client.request("POST", image["self"] + "/members", json={"member": member})


def test_the_life_of_an_invitation(alpha: Client, beta: Client) -> None:
    """An invited project shows and downloads at once, lists after it accepted, and loses all when removed."""
    image = alpha.active()
    assert beta.get(image["self"]).status_code == 404

    response = invite(alpha, image)
    member = response.json()
    assert response.status_code == 200
    assert (member["member_id"], member["image_id"], member["status"]) == (BETA, image["id"], "pending")
    assert set(member) == {"member_id", "image_id", "status", "created_at", "updated_at", "schema"}
    assert beta.get(image["file"]).content == b"0123456789"
    assert beta.list_ids() == []
    assert beta.list_ids("?member_status=pending") == [image["id"]]

    path = f"{image['self']}/members/{BETA}"
    for status, listed in (("rejected", []), ("accepted", [image["id"]])):
        answer = beta.request("PUT", path, json={"status": status, "member": "ignored"})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert beta.list_ids() == listed
    assert (
        beta.get(image["self"] + "/members").json()["members"]
        == alpha.get(image["self"] + "/members").json()["members"]
    )

    assert beta.request("DELETE", path).status_code == 403
    assert alpha.request("DELETE", path).status_code == 204
    assert alpha.request("DELETE", path).status_code == 404
    assert beta.get(image["self"]).status_code == 404


def test_who_may_do_what(alpha: Client, beta: Client, admin: Client, region: RegionService) -> None:
    """The owner invites but does not answer; the invited project answers but does not invite, and sees itself only."""
    image = alpha.create()
    invite(alpha, image)
    invite(alpha, image, "gamma")
    path = image["self"] + "/members/"
    accept = {"status": "accepted"}
    assert invite(beta, image, "delta").status_code == 403
    assert invite(region.client("alpha", roles=("reader",)), image, "delta").status_code == 403
    assert alpha.request("PUT", path + BETA, json=accept).status_code == 403
    assert region.client("beta", roles=("reader",)).request("PUT", path + BETA, json=accept).status_code == 403
    assert admin.request("PUT", path + BETA, json=accept).status_code == 200
    assert beta.get(path + "gamma").status_code == 404
    assert beta.request("PUT", path + "gamma", json=accept).status_code == 404
    assert [row["member_id"] for row in beta.get(image["self"] + "/members").json()["members"]] == [BETA]
    assert len(alpha.get(image["self"] + "/members").json()["members"]) == 2
    assert region.client("zeta").get(image["self"] + "/members").status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"member": ""}', b'{"member": null}', b'{"member": true}'])
def test_bad_invitations(alpha: Client, body: bytes) -> None:
    """A body without a project ID is 400."""
    image = alpha.create()
    assert alpha.request("POST", image["self"] + "/members", data=body).status_code == 400


def test_bad_answers_and_repeats(alpha: Client, beta: Client) -> None:
    """An unknown status is 400, a second invitation 409; a number is taken as text."""
    image = alpha.create()
    assert invite(alpha, image).status_code == 200
    assert invite(alpha, image).status_code == 409
    assert invite(alpha, image, 5).json()["member_id"] == "5"
    for body in ({}, {"status": "maybe"}, {"status": None}, {"status": ["accepted"]}):
        assert beta.request("PUT", f"{image['self']}/members/{BETA}", json=body).status_code == 400


def test_only_shared_images_have_members(alpha: Client, beta: Client) -> None:
    """At any other visibility members are refused, but kept for when the image is shared again."""
    image = alpha.create()
    invite(alpha, image)
    alpha.patch(image["id"], {"op": "replace", "path": "/visibility", "value": "private"})
    path = image["self"] + "/members"
    assert invite(alpha, image, "x").status_code == 403
    assert alpha.get(path).status_code == 403
    assert alpha.get(f"{path}/{BETA}").status_code == 404
    assert alpha.request("DELETE", f"{path}/{BETA}").status_code == 403
    assert beta.get(image["self"]).status_code == 404
    alpha.patch(image["id"], {"op": "replace", "path": "/visibility", "value": "shared"})
    assert beta.get(image["self"]).status_code == 200


def test_member_quota(tmp_path: Path) -> None:
    """The member after the last allowed one is 413."""
    with run_region(tmp_path, limits=ImageLimits(image_member_quota=1)) as service:
        client = service.client()
        image = client.create()
        assert invite(client, image, "a").status_code == 200
        assert invite(client, image, "b").status_code == 413


@pytest.mark.parametrize(
    "name",
    ["image", "images", "member", "members", "task", "tasks"]
    + [f"metadefs/{name}" for name in ("namespace", "object", "property", "resource_type", "tag")]
    + [f"metadefs/{name}" for name in ("namespaces", "objects", "properties", "resource_types", "tags")],
)
def test_every_documented_schema_is_served(alpha: Client, name: str) -> None:
    """Each schema is a document with a name and properties, readable without a role."""
    response = alpha.get(f"/v2/schemas/{name}")
    assert response.status_code == 200
    assert {"name", "properties"} <= set(response.json())


def test_schema_routes_take_nothing_else(alpha: Client) -> None:
    """Unknown schemas are 404, other methods 405, a body 400."""
    assert alpha.get("/v2/schemas/nothing").status_code == 404
    assert alpha.get("/v2/schemas/../settings").status_code == 404
    assert alpha.request("POST", "/v2/schemas/image").status_code == 405
    assert alpha.get("/v2/schemas/image", data=b"x").status_code == 400


def test_the_image_schema_describes_what_is_served(alpha: Client) -> None:
    """Every key of an image is in the schema, in its documented order."""
    properties = alpha.get("/v2/schemas/image").json()["properties"]
    assert set(alpha.create()) <= set(properties)
    assert list(properties)[:6] == ["id", "name", "status", "visibility", "protected", "os_hidden"]
    assert len(properties) == 25
