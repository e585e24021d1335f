"""
``python -m ecl.server``: the service for programs that start one, such as `ecl.testing`. People use ``ecl serve``.

Settings come from ``ECL_SERVE_*`` variables and the file that ``ECL_SERVE_CONFIG`` names. Standard output gets one line
of JSON when the service answers. It ends when its standard input does, so it never outlives who started it.
"""

from __future__ import annotations

import sys

from ecl.server.process.run import StartError, serve, stop_with_parent
from ecl.server.settings.load import SettingsError, load_settings


def main() -> int:
    """Run the service and return the exit code."""
    stop_with_parent()
    try:
        return serve(load_settings(), ready_json=True)
    except (StartError, SettingsError) as exc:
        print(f"Error: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, SettingsError) else 1


if __name__ == "__main__":
    sys.exit(main())
