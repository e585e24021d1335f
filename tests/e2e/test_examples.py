"""The examples run as their first lines say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecl.testing import ImageService

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture
def clouds(image_service: ImageService, tmp_path: Path) -> Path:
    """A folder whose clouds.yaml has the tenants "one" and "two" of jp1, and "far" of jp2."""

    def cloud(credentials: dict[str, str]) -> dict[str, object]:
        auth = {key: value for key, value in credentials.items() if key != "region_name"}
        return {"auth": auth, "region_name": credentials["region_name"]}

    entries = {
        "one": image_service.credentials("jp1"),
        "two": image_service.credentials(project=image_service.add_project("jp1")),
        "far": image_service.credentials("jp2"),
    }
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


def test_copy_to_another_cloud(image_service: ImageService, clouds: Path) -> None:
    """The image is in the other cloud, with the same hash."""
    image = image_service.connect("jp1").image.create_image(name="travels", data=b"a disk" * 1000, disk_format="raw")

    output = _run(clouds, "copy_to_another_cloud.py", "travels", "one", "far")

    assert f"sha512:{image.os_hash_value}" in output
    assert [each.name for each in image_service.connect("jp2").image.images(name="travels")] == ["travels"]


def test_share_with_a_tenant(image_service: ImageService, clouds: Path) -> None:
    """The other tenant has accepted the image."""
    image_service.connect("jp1").image.create_image(name="shared disk", data=b"a disk" * 1000, disk_format="raw")

    assert "accepted" in _run(clouds, "share_with_a_tenant.py", "shared disk", "one", "two")
