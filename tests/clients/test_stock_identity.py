"""openstacksdk's identity proxy, unmodified, makes tenants here with the same outcome as against a real Keystone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from clouds import EmbeddedCloud, Login
from keystone_backend import PASSWORD, keystone_is_installed, run_keystone
from stock import drive


class _KeystoneCloud:
    """A cloud that is nothing but a Keystone."""

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self, identity: str = "admin") -> Any:
        raise NotImplementedError

    def project_id(self, identity: str) -> str:
        raise NotImplementedError

    def login(self, identity: str) -> Login:
        auth = {"auth_url": f"{self._url}/v3", "username": identity, "password": PASSWORD, "project_name": identity}
        auth |= {"user_domain_id": "default", "project_domain_id": "default"}
        # Its catalog is empty.
        return {"auth_type": "password", "auth": auth, "identity_endpoint_override": f"{self._url}/v3"}


@pytest.fixture
def keystone() -> Iterator[_KeystoneCloud]:
    """A real Keystone."""
    if not keystone_is_installed():
        pytest.skip("no Keystone in .venvs (scripts/test-inputs)")
    with run_keystone() as url:
        yield _KeystoneCloud(url)


EXPECTED = {
    "made": ["sdk-project", "made by openstacksdk", True, "sdk-user", "a@example.org", True],
    "found": [True, True, True, ["sdk-user"], ["sdk-project"], ["default"]],
    "taken": ["ConflictException", "ConflictException"],
    "granted": [True, ["member"], [True]],
    "mine": [True, True, "ForbiddenException", ["sdk-project"]],
    "changed": ["SDKException", True, "changed", "new"],
    "revoked": [False, "SDKException"],
    "gone": [True, True, "NotFoundException"],
}


def test_tenants_here(embedded: EmbeddedCloud) -> None:
    """Projects, users, roles and passwords, from making them to deleting them."""
    assert drive(embedded, "stock", "use_openstacksdk_identity.py", ["admin"]) == EXPECTED


def test_tenants_of_keystone(keystone: _KeystoneCloud) -> None:
    """What is expected of this service is what a real Keystone does."""
    assert drive(keystone, "stock", "use_openstacksdk_identity.py", ["admin"]) == EXPECTED
