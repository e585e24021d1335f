"""``ecl demo``: readable without a terminal, and exit 0 only if every step held."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.images import RealImage

ECL = str(Path(sys.executable).with_name("ecl"))


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ECL, "demo", *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_demo() -> None:
    """Every step ends with ok on a line of its own, without colours, and the exit code is 0."""
    run = _demo()

    assert run.returncode == 0, run.stdout + run.stderr
    *steps, last = run.stdout.splitlines()
    assert [int(line[1:3]) for line in steps] == list(range(1, 18))
    assert all(re.match(r"\[ ?\d+/17\] .* ok +\d+\.\d\d s", line) for line in steps)
    assert last.startswith("Everything held")
    assert "\x1b" not in run.stdout


def test_demo_with_an_image(real_image: Callable[[str], RealImage]) -> None:
    """An image that is given is used, in its own format."""
    run = _demo(str(real_image("qcow2").path))

    assert run.returncode == 0, run.stdout + run.stderr
    assert "demo (qcow2, active)" in run.stdout
    assert "/16]" in run.stdout


def test_demo_with_a_dangerous_image(real_image: Callable[[str], RealImage]) -> None:
    """An image that is not safe ends the demo with one sentence and exit code 1."""
    run = _demo(str(real_image("backed").path))

    assert run.returncode == 1
    assert "not safe" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("argument", ["missing.raw", "."])
def test_demo_without_an_image(argument: str) -> None:
    """A file that is not there, or no file, is wrong usage."""
    run = _demo(argument)

    assert run.returncode == 2
    assert argument in run.stderr
