"""The program of docs/aio.md runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from ecl.testing import ImageService

(PROGRAM,) = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "aio.md").read_text(), re.DOTALL)


def test_the_program(tmp_path: Path, image_service: ImageService) -> None:
    """A reader who pastes it into a file gets progress, a list and a copy."""
    cloud = next(iter(yaml.safe_load(image_service.clouds_yaml.read_text())["clouds"]))
    (tmp_path / "clouds.yaml").write_text(image_service.clouds_yaml.read_text())
    (tmp_path / "disk.qcow2").write_bytes(bytes(100_000))
    (tmp_path / "program.py").write_text(PROGRAM.replace("connect()", f"connect({cloud!r})"))

    run = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert "100000 of 100000 bytes" in run.stdout
    assert (tmp_path / "copy.qcow2").read_bytes() == bytes(100_000)
