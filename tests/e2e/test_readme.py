"""The snippets of README.md run as they are printed, against the embedded service."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecl.testing import ImageService

ROOT = Path(__file__).parent.parent.parent
PYTHON = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_readme_has_its_snippets() -> None:
    """There are two: the SDK, and the service in a test."""
    assert len(PYTHON) == 2


@pytest.mark.parametrize("snippet", PYTHON, ids=["sdk", "testing"])
def test_snippet(snippet: str, tmp_path: Path, image_service: ImageService) -> None:
    """A reader who pastes it into a file gets what it says."""
    clouds = yaml.safe_load(image_service.clouds_yaml.read_text())
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    # A qcow2 of nothing would do, but any bytes are a raw disk.
    (tmp_path / "disk.qcow2").write_bytes(bytes(100_000))
    (tmp_path / "snippet.py").write_text(snippet)

    run = subprocess.run(
        [sys.executable, "snippet.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert run.returncode == 0, run.stderr
    if "connect(" in snippet and "download_image(image, output" in snippet:
        assert (tmp_path / "copy.qcow2").read_bytes() == bytes(100_000)
        assert "debian" in run.stdout


def test_first_page_names_its_length() -> None:
    """The first snippet is the promised ten lines of Python, an import and blank lines aside."""
    code = [line for line in PYTHON[0].splitlines() if line.strip()]

    assert len(code) <= 10
