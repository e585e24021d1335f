"""The pytest plugin of `ecl.testing`: one service for the test session, and a project for each test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ecl.testing import EclProject, ImageService

__all__ = ["ecl_cloud_env", "ecl_image_service", "ecl_project", "image_service"]


@pytest.fixture(scope="session")
def ecl_image_service() -> Iterator[ImageService]:
    """A running image service with the regions jp1 and jp2; with pytest-xdist each worker has its own."""
    # Loaded here, so that sessions that do not use the fixture pay nothing.
    from ecl.testing import ImageService

    with ImageService() as service:
        yield service


@pytest.fixture(scope="session")
def image_service(ecl_image_service: ImageService) -> ImageService:
    """The same as `ecl_image_service`: its name in earlier releases."""
    return ecl_image_service


@pytest.fixture
def ecl_project(ecl_image_service: ImageService) -> Iterator[EclProject]:
    """
    A project in the first region, with a user and a connection, for this test alone.

    After the test it is removed with all that it has, faults and the journal are emptied, and the clock is put back.
    """
    from ecl.testing import EclProject

    project = EclProject(ecl_image_service, ecl_image_service.add_project())
    try:
        yield project
    finally:
        # A test may have stopped the service.
        ecl_image_service.start()
        ecl_image_service.faults.clear()
        ecl_image_service.clock.reset()
        project.remove()
        ecl_image_service.requests.clear()


@pytest.fixture
def ecl_cloud_env(
    ecl_project: EclProject, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """
    The variables by which processes of this test use `ecl_project`; they are set in ``os.environ``, too.

    ``OS_CLOUD`` names the only cloud of a clouds.yaml, and ``OS_AUTH_URL`` … are for tools that read no such file. All
    other ``OS_*`` variables are removed.
    """
    from ecl.testing._seed import clouds_document

    path = tmp_path_factory.mktemp("ecl-cloud") / "clouds.yaml"
    # JSON is YAML.
    path.write_text(json.dumps(clouds_document("test", ecl_project.credentials)), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    variables = {"OS_CLIENT_CONFIG_FILE": str(path), "OS_CLOUD": "test", **ecl_project.environment}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
