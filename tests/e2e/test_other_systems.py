"""The SDK and the command where the system has nothing of POSIX, as Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: The tests of moving bytes, of images and of the command, which need no service.
RING = ("unit/transfer", "unit/image", "unit/cli", "unit/test_session.py", "unit/test_config.py")


def test_without_posix() -> None:
    """The ring of unit tests passes with fcntl, pread and the like hidden."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "support.without_posix", *(TESTS / name for name in RING)]
    done = subprocess.run(command, cwd=TESTS.parent, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS)},
                          capture_output=True, text=True)  # fmt: skip

    assert done.returncode == 0, done.stdout[-4000:]
