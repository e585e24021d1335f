"""A running service, and a client that shows its identity API's answers as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecl.testing import ImageService
from support.identity import Identity


@pytest.fixture(scope="session")
def identity_service() -> Iterator[ImageService]:
    with ImageService(regions=("jp1", "jp2")) as service:
        yield service


@pytest.fixture
def identity(identity_service: ImageService) -> Iterator[Identity]:
    client = Identity(identity_service)
    yield client
    client.http.close()


@pytest.fixture
def add_user(identity_service: ImageService) -> Callable[..., Any]:
    """A function that makes a project and a user of its own, so that a test may break them."""
    return identity_service.add_project
