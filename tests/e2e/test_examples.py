"""The examples run as their first lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecl.testing import EclProject

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
def far(ecl_project: EclProject) -> EclProject:
    """A project of the same user in the other region."""
    return ecl_project.another("jp2", user=ecl_project.project.username)


@pytest.fixture
def clouds(ecl_project: EclProject, far: EclProject, tmp_path: Path) -> Path:
    """A folder whose clouds.yaml has the tenants "one" and "two" of jp1, and "far" of jp2."""

    def cloud(credentials: dict[str, str]) -> dict[str, object]:
        auth = {key: value for key, value in credentials.items() if key != "region_name"}
        return {"auth": auth, "region_name": credentials["region_name"]}

    entries = {"one": ecl_project.credentials, "two": ecl_project.another().credentials, "far": far.credentials}
    content = {"clouds": {name: cloud(credentials) for name, credentials in entries.items()}}
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def _run(clouds: Path, example: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *arguments],
        cwd=clouds,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_copy_to_another_cloud(ecl_project: EclProject, far: EclProject, clouds: Path) -> None:
    """The image is in the other cloud, with the same hash."""
    image = ecl_project.image.create_image(name="travels", data=b"a disk" * 1000, disk_format="raw")

    output = _run(clouds, "copy_to_another_cloud.py", "travels", "one", "far")

    assert f"sha512:{image.os_hash_value}" in output
    assert [each.name for each in far.image.images()] == ["travels"]


def test_share_with_a_tenant(ecl_project: EclProject, clouds: Path) -> None:
    """The other tenant has accepted the image."""
    ecl_project.image.create_image(name="shared disk", data=b"a disk" * 1000, disk_format="raw")

    assert "accepted" in _run(clouds, "share_with_a_tenant.py", "shared disk", "one", "two")
