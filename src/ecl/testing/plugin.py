"""The pytest plugin of `ecl.testing`: one service for the test session, and a project for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ecl.testing import ImageService

__all__ = ["ecl_image_service", "image_service"]


@pytest.fixture(scope="session")
def ecl_image_service() -> Iterator[ImageService]:
    """A running image service with the regions jp1 and jp2."""
    # Loaded here, so that sessions that do not use the fixture pay nothing.
    from ecl.testing import ImageService

    with ImageService() as service:
        yield service


@pytest.fixture(scope="session")
def image_service(ecl_image_service: ImageService) -> ImageService:
    """The same as `ecl_image_service`: its name in earlier releases."""
    return ecl_image_service
