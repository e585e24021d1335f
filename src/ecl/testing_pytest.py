"""The pytest plugin of `ecl.testing`: the fixture ``image_service``, one service for the whole test session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ecl.testing import ImageService

__all__ = ["image_service"]


@pytest.fixture(scope="session")
def image_service() -> Iterator[ImageService]:
    """A running image service with the regions jp1 and jp2."""
    # Loaded here, so that sessions that do not use the fixture pay nothing.
    from ecl.testing import ImageService

    with ImageService() as service:
        yield service
