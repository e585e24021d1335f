"""A real Keystone, and image services that take its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from keystone_backend import PASSWORD, keystone_is_installed, run_keystone

from ecl.testing import ImageService
from support.keystone_cloud import Cloud, client, keystone_service
from support.region_service import Client


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A running Keystone."""
    if not keystone_is_installed():
        pytest.skip("no Keystone in .venvs (scripts/test-inputs)")
    with run_keystone() as url:
        running = Cloud(url, PASSWORD)
        try:
            yield running
        finally:
            running.close()


@pytest.fixture(scope="session")
def served(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageService]:
    """A service whose user there has the role service, and no other."""
    with keystone_service(cloud, tmp_path_factory.mktemp("served"), cloud.service_user("service")) as running:
        yield running


@pytest.fixture
def reach() -> Iterator[Callable[..., Client]]:
    """A function that makes a client: service, token, region; closed after the test."""
    with ExitStack() as stack:

        def make(service: ImageService, token: str | None, region: str = "jp1") -> Client:
            made = client(service, token, region)
            stack.callback(made.session.close)
            return made

        yield make
