"""The embedded service and a real Glance side by side, emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from glance_backend import glance_is_installed
from twin import Twin, run_twin


@pytest.fixture(scope="session")
def running_twin() -> Iterator[Twin]:
    """Both services, for the whole session."""
    if not glance_is_installed():
        pytest.skip("no Glance in .venvs (scripts/test-inputs)")
    with run_twin() as running:
        yield running


@pytest.fixture
def twin(running_twin: Twin) -> Iterator[Twin]:
    """Both services without images; whatever differed fails the test at its end."""
    yield running_twin
    try:
        running_twin.check()
    finally:
        running_twin.clear()
