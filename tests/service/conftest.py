"""Services for tests at the level of HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.region_service import Client, RegionService, run_region


@pytest.fixture
def region(tmp_path: Path) -> Iterator[RegionService]:
    """A running region jp1 without images."""
    with run_region(tmp_path) as service:
        yield service


@pytest.fixture
def alpha(region: RegionService) -> Client:
    """A member of project alpha."""
    return region.client("alpha")


@pytest.fixture
def beta(region: RegionService) -> Client:
    """A member of another project."""
    return region.client("beta")


@pytest.fixture
def admin(region: RegionService) -> Client:
    """An administrator."""
    return region.admin()
