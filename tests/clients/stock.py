"""Runs other people's clients, each in its own venv and process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from clouds import Cloud

__all__ = ["drive", "run_commands"]

_HERE = Path(__file__).parent
_VENVS = _HERE.parent.parent / ".venvs"
_SECONDS = 90


def drive(cloud: Cloud, venv: str, driver: str, identities: Sequence[str], **task: object) -> Any:
    """Run a script of ``drivers`` with the logins of *identities*, and return the facts that it prints."""
    task["logins"] = {identity: cloud.login(identity) for identity in identities}
    if not (_VENVS / venv / "installed.txt").exists():
        pytest.skip(f"no .venvs/{venv} (scripts/test-inputs)")
    done = subprocess.run(
        # Old libraries warn of their own age.
        [_VENVS / venv / "bin" / "python", "-W", "ignore", _HERE / "drivers" / driver],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        pytest.fail(f"{driver} ended with {done.returncode}:\n{done.stderr[-5000:]}", pytrace=False)
    return json.loads(done.stdout)


def run_commands(cloud: Cloud, identity: str, program: str, commands: Sequence[Sequence[str]]) -> list[str]:
    """Run ``openstack`` or ``glance`` once for each list of arguments, and return what each run printed."""
    return list(drive(cloud, "stock", "run_commands.py", [identity], program=program, commands=commands))
