"""Put the man pages into the wheel: made from the command while the wheel is built."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface[Any]):
    """The wheel installs them into share/man/man1."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages, unless the package is installed as editable."""
        if version == "editable":
            return
        folder = Path(self.root) / "build" / "man"
        module = runpy.run_path(str(Path(self.root) / "packaging" / "manpages.py"))
        for path in module["write"](folder):
            build_data["shared_data"][str(path)] = f"share/man/man1/{path.name}"
