"""Tokens that end while work goes on, with a real Keystone whose tokens are valid for a few seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keystone_backend import PASSWORD, keystone_is_installed, run_keystone

from support.keystone_cloud import Cloud, keystone_service
from support.region_service import poll


@pytest.fixture(scope="module")
def hasty() -> Iterator[Cloud]:
    """A Keystone whose tokens are valid for eight seconds."""
    if not keystone_is_installed():
        pytest.skip("no Keystone in .venvs (scripts/test-inputs)")
    with run_keystone(token_seconds=8) as url:
        running = Cloud(url, PASSWORD)
        try:
            yield running
        finally:
            running.close()


def test_expired_token(hasty, tmp_path, reach):
    """
    A token ends in time though it was known; with a token of a service beside it, it goes on.

    The token of the service's own user ends as soon: it logs in again.
    """
    helper, own = hasty.service_user("service"), hasty.service_user("service")
    user, project = hasty.user(), hasty.project()
    hasty.grant(user, project, "member")
    with keystone_service(hasty, tmp_path, own) as service:
        here = reach(service, hasty.token(user["name"], project["name"]))
        assert here.get("/v2/images").status_code == 200
        poll(lambda: here.get("/v2/images").status_code == 401)

        mine = {"X-Service-Token": hasty.token(user["name"], project["name"])}
        assert here.get("/v2/images", headers=mine).status_code == 401
        of_service = {"X-Service-Token": hasty.token(helper, "service")}
        assert here.get("/v2/images", headers=of_service).status_code == 200
        assert here.get("/v2/images").status_code == 401
