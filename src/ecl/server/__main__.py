"""
``python -m ecl.server`` runs the service for programs such as `ecl.testing`; for people there is ``ecl serve``.

Settings come from ``ECL_SERVE_*`` variables and the file in ``ECL_SERVE_CONFIG``. When the service is ready, it writes
one line of JSON to standard output. It ends when its standard input ends, so it never outlives its parent process.
"""

from __future__ import annotations

import sys

from ecl.server.process.run import serve, stop_with_parent
from ecl.server.process.start_error import StartError
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
