"""One service for the tests of the kit, which nobody else uses: a reset would take their images."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecl.testing import ImageService


@pytest.fixture(scope="module")
def running() -> Iterator[ImageService]:
    """A service with two regions."""
    with ImageService(upkeep={"keep_tasks": 3600}) as service:
        yield service


@pytest.fixture
def service(running: ImageService) -> Iterator[ImageService]:
    """The same service, reset after the test."""
    yield running
    running.start()
    running.reset()
