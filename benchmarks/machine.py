"""Names the machine and the versions, without saying whose machine it is."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.services import CLIENTS, VENVS

__all__ = ["describe", "short_name"]

#: Venv to the packages whose versions matter.
_PACKAGES = {
    "ecl-image": ("ecl-image", "keystoneauth1", "requests", "urllib3", "uvicorn", "uvloop", "starlette", "SQLAlchemy"),
    "openstacksdk": ("openstacksdk", "python-glanceclient", "python-openstackclient"),
    "eclsdk": ("eclsdk",),
    "glance": ("glance", "gunicorn", "glance-store"),
}
_LIST = "import sys\nfrom importlib import metadata\nfor name in sys.argv[1:]:\n    print(name, metadata.version(name))"


def describe() -> dict[str, str]:
    """Return what a reader must know to compare figures, name to text."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    facts = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{int(memory[1]) / (1 << 20):.0f} GiB" if memory else "unknown",
        "system": f"{_distribution()}, Linux {re.match(r'[0-9.]+', platform.release())[0]}",  # type: ignore[index]
        "load before": f"{os.getloadavg()[0]:.1f}",
    }
    for key, packages in _PACKAGES.items():
        venv = VENVS / "glance" if key == "glance" else CLIENTS[key][0]
        if (venv / "bin" / "python").exists():
            facts.update(_versions(venv / "bin" / "python", packages))
    for tool, words in (("curl", ["curl", "--version"]), ("wrk", ["wrk", "-v"])):
        facts[tool] = _first_version(words)
    return facts


def short_name() -> str:
    """Return the machine in a word, for file names: ``x86_64-2cpu``."""
    return f"{platform.machine()}-{os.cpu_count()}cpu"


def _processor() -> str:
    match = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "Linux"


def _versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    done = subprocess.run([python, "-W", "ignore", "-c", _LIST, *packages], capture_output=True, text=True)
    version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout.split()[-1]
    found = (line.split() for line in done.stdout.splitlines())
    return {name: f"{number} (Python {version})" for name, number in found}


def _first_version(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError:
        return "none"
    match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return match[0] if match else "unknown"
