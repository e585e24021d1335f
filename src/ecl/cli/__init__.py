"""
The command ``ecl``.

eclsdk, too, installs a package ``ecl``. Installed or removed after ecl-image in one environment, it replaces or takes
away files of this one, but none of this folder, so it is noticed here.
"""

from __future__ import annotations

import ecl


def _problem() -> str:
    """Return what to do about a package ``ecl`` that is not the one of this distribution."""
    from importlib.metadata import distributions

    others = sorted(
        f"{found.name} {found.version}"
        for found in distributions()
        if found.name != "ecl-image" and any(str(path) == "ecl/__init__.py" for path in found.files or ())
    )
    cause = f"{', '.join(others)} has replaced files" if others else "files are missing"
    return (
        f"Error: {cause} of the package ecl: install ecl-image into an environment of its own (pipx install ecl-image),"
        " or uninstall the other one and reinstall ecl-image."
    )


if getattr(ecl, "_DISTRIBUTION", None) != "ecl-image":
    raise SystemExit(_problem())
