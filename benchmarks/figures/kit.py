"""The test kit: what a project of its own costs each test."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, compare
from benchmarks.measure import Sample
from benchmarks.plan import Plan

__all__ = ["kit"]

#: Tests of one session.
_COUNT = 200
_OURS, _GOAL = "ecl_project", "20 ms"
_TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_one({fixture}, number):
    assert {fixture}.{attribute}
"""
_NOTE = f"The mean of {_COUNT} tests: project, user, token and connection, and their removal."


def kit(plan: Plan) -> Iterator[Figure]:
    """Run a session of tests with a project each, and one whose tests share the service only."""
    folder = plan.empty_folder("kit")
    # The first round warms up.
    ours = [_overhead(folder) for _ in range(plan.runs + 1)][1:]
    samples = {_OURS: ours, _GOAL: [Sample(0.02, 0.02)] * plan.runs}
    title = "a project of its own for a test (ecl_project)"
    yield compare("kit", title, samples, _OURS, _GOAL, goal=1.0, unit="ms", scale=1000, note=_NOTE)
    note = "The CPU of the tests and of the service, which other work on the machine does not change much."
    yield compare(
        "kit.cpu", f"{title}, CPU", samples, _OURS, _GOAL, goal=1.0, by="cpu", unit="ms", scale=1000, note=note
    )


def _overhead(folder: Path) -> Sample:
    own, shared = _session(folder, "ecl_project", "connection"), _session(folder, "ecl_image_service", "is_running")
    return Sample(max(0.0, own.seconds - shared.seconds) / _COUNT, max(0.0, own.cpu - shared.cpu) / _COUNT)


def _session(folder: Path, fixture: str, attribute: str) -> Sample:
    """Run a session whose tests use an attribute of a fixture."""
    path = folder / f"test_{fixture}.py"
    path.write_text(_TESTS.format(count=_COUNT, fixture=fixture, attribute=attribute))
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    words = [sys.executable, "-m", "pytest", *options, str(path)]
    before, began = _cpu(), time.monotonic()
    subprocess.run(words, cwd=folder, capture_output=True, check=True, timeout=300)
    return Sample(time.monotonic() - began, _cpu() - before)


def _cpu() -> float:
    """Return the seconds of CPU of all processes that have ended, the service of the tests among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
