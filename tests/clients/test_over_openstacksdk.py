"""This library over a connection, a session or a proxy of openstacksdk: its region and interface are obeyed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.http_stub import HttpStub, Keystone

_ROOT = Path(__file__).parents[2]
_STOCK = _ROOT / ".venvs" / "stock"
_SECONDS = 60


def asked(**settings: Any) -> dict[str, str]:
    """Ask for images over a connection with *settings*; return where each way asked, or how it failed."""
    if not (_STOCK / "installed.txt").exists():
        pytest.skip("no .venvs/stock (scripts/test-inputs)")
    with HttpStub() as stub:
        keystone = Keystone(stub)
        keystone.serve_images(["RegionOne", "RegionTwo", "RegionThree"], ["public", "internal", "admin"])
        filled = {name: str(value).replace("STUB", stub.url) for name, value in settings.items()}
        done = subprocess.run(
            [_STOCK / "bin" / "python", "-W", "ignore", Path(__file__).parent / "drivers" / "ecl_over_openstacksdk.py"],
            input=json.dumps({"auth_url": stub.url + "/v3", "settings": filled}),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env={**os.environ, "PYTHONPATH": str(_ROOT / "src")},
        )
        if done.returncode:
            pytest.fail(f"the driver ended with {done.returncode}:\n{done.stderr[-5000:]}", pytrace=False)
        errors = {way: error for way, error in json.loads(done.stdout).items() if error}
        found = {each.query["name"][0]: each.path for each in stub.requests if "name" in each.query}
    return {way: path.removesuffix("/v2/images").removeprefix("/image/") for way, path in found.items()} | errors


WAYS = ("Proxy(conn)", "Proxy(conn.session)", "Proxy(conn.image)", "connect(session=conn)",
        "connect(session=conn.session)", "connect(session=conn.image)", "from_config(conn.config)")  # fmt: skip


def test_region_and_interface_of_the_connection() -> None:
    """Each way goes to the connection's region by its interface; what connect() is given beside it counts over that."""
    expected = dict.fromkeys(WAYS, "RegionTwo/internal")
    expected |= {"another region": "RegionThree/internal", "another interface": "RegionTwo/admin"}

    assert asked(region_name="RegionTwo", interface="internal") == expected


def test_settings_of_the_image_service() -> None:
    """What the connection prefers for the image service alone is obeyed, too."""
    found = asked(region_name="RegionOne", image_region_name="RegionThree", image_interface="admin")

    assert {way: found[way] for way in WAYS} == dict.fromkeys(WAYS, "RegionThree/admin")


def test_address_of_the_connection() -> None:
    """An address that the connection has for the image service is obeyed."""
    found = asked(region_name="RegionOne", image_endpoint_override="STUB/image/RegionTwo/admin/v2")

    assert {way: found[way] for way in WAYS} == dict.fromkeys(WAYS, "RegionTwo/admin")


def test_connection_without_region() -> None:
    """A connection that prefers no region takes the first of the catalog, as openstacksdk does."""
    found = asked()

    assert {way: found[way] for way in WAYS} == dict.fromkeys(WAYS, "RegionOne/public")
