"""Property protection: what a rule of the settings lets whom do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecl.server.settings.model import PropertyRule
from support.region_service import Client, RegionService, run_region

RULES = (
    PropertyRule("^billing_", create=("admin",), read=("admin",), update=("admin",), delete=("admin",)),
    PropertyRule("^fixed_", create=("admin",), read=("@",)),
    PropertyRule("^once_", create=("member",), read=("@",), delete=("member",)),
    PropertyRule("^never_"),
    PropertyRule("^open_", create=("@",), read=("@",), update=("@",), delete=("@",)),
)


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A region with rules."""
    with run_region(tmp_path, property_rules=RULES) as service:
        yield service


@pytest.fixture
def image(alpha: Client, admin: Client) -> dict[str, str]:
    """An image of alpha on which an administrator has set what alpha may not."""
    made = alpha.create(open_a="1", once_a="1")
    for name in ("billing_code", "fixed_a"):
        assert admin.patch(made["id"], {"op": "add", "path": f"/{name}", "value": "x"}).status_code == 200
    return admin.show(made["id"])


@pytest.mark.parametrize("name", ["billing_code", "fixed_a", "never_a", "unmatched"])
def test_create_needs_the_right(alpha: Client, name: str) -> None:
    """403, also for what no rule names; nothing is created."""
    assert alpha.request("POST", "/v2/images", json={name: "x"}).status_code == 403
    assert alpha.list_ids() == []


def test_task_needs_the_right(admin: Client) -> None:
    """A task that makes an image goes by the same rules."""
    described = {"import_from": "http://8.8.8.8/", "import_from_format": "raw", "image_properties": {"never_a": "x"}}

    assert admin.request("POST", "/v2/tasks", json={"type": "import", "input": described}).status_code == 403
    assert admin.list_ids() == []


def test_what_may_not_be_read_is_not_there(alpha: Client, admin: Client, image: dict[str, str]) -> None:
    """Neither in the image nor in a list, nor as a filter."""
    shown = alpha.show(image["id"])
    (listed,) = alpha.get("/v2/images").json()["images"]

    assert image["billing_code"] == "x"
    assert "billing_code" not in shown
    assert "billing_code" not in listed
    assert (shown["fixed_a"], shown["open_a"], shown["once_a"]) == ("x", "1", "1")
    assert alpha.list_ids("?billing_code=x") == []
    assert admin.list_ids("?billing_code=x") == [image["id"]]
    assert alpha.list_ids("?fixed_a=x") == [image["id"]]


@pytest.mark.parametrize(
    ("operation", "name", "status"),
    [
        ("replace", "billing_code", 409),
        ("remove", "billing_code", 409),
        ("add", "billing_code", 403),
        ("add", "billing_new", 403),
        ("replace", "fixed_a", 403),
        ("add", "fixed_a", 403),
        ("remove", "fixed_a", 403),
        ("replace", "once_a", 403),
        ("remove", "once_a", 200),
        ("add", "once_b", 200),
        ("replace", "open_a", 200),
        ("remove", "open_a", 200),
        ("add", "unmatched", 403),
        ("replace", "unmatched", 409),
    ],
)
def test_update_needs_the_right(
    alpha: Client, admin: Client, image: dict[str, str], operation: str, name: str, status: int
) -> None:
    """What is not readable does not exist (409), what is may still be closed (403); a refused patch does nothing."""
    change = {"op": operation, "path": f"/{name}"} | ({"value": "y"} if operation != "remove" else {})

    response = alpha.patch(image["id"], change)
    assert response.status_code == status, response.text
    assert "billing_code" not in response.text or status != 200
    if status != 200:
        assert admin.show(image["id"]) == image


def test_nobody_is_nobody(admin: Client) -> None:
    """An administrator is held to the rules, too."""
    assert admin.request("POST", "/v2/images", json={"never_a": "x"}).status_code == 403
    assert admin.request("POST", "/v2/images", json={"billing_a": "x"}).status_code == 201


def test_patch_keeps_what_is_not_seen(alpha: Client, admin: Client, image: dict[str, str]) -> None:
    """Changing something else leaves the hidden property as it was."""
    assert alpha.patch(image["id"], {"op": "replace", "path": "/name", "value": "new"}).status_code == 200
    assert admin.show(image["id"])["billing_code"] == "x"
