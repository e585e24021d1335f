"""What the test kit says before there is a service."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ecl.testing
from ecl.testing import ImageService, Refused


def test_before_the_start() -> None:
    """Whatever needs a running service says that it is not running."""
    service = ImageService()
    try:
        for use in (service.connect, service.credentials, service.reset, service.faults.clear, service.requests.clear):
            with pytest.raises(Refused, match=r"not running: use it as a context manager, or call start\(\)"):
                use()
    finally:
        service.close()


def test_without_the_extra() -> None:
    """Without the packages of the extra, a start says what to install."""
    script = (
        "import sys; sys.modules['msgspec'] = None; sys.modules['uvloop'] = None\n"
        "from ecl.testing import ImageService, ServiceFailed\n"
        "try:\n    ImageService().__enter__()\nexcept ServiceFailed as exc:\n    print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == (
        "The image service needs packages that are not installed (msgspec, uvloop): pip install 'ecl-image[server]'"
    )


def test_names() -> None:
    """Every name of the kit can be imported; one that is misspelt is an error."""
    assert all(getattr(ecl.testing, name).__module__.startswith("ecl.testing.") for name in ecl.testing.__all__)
    assert set(ecl.testing.__all__) <= set(dir(ecl.testing))
    with pytest.raises(AttributeError, match="has no attribute 'ImageServer'"):
        _ = ecl.testing.ImageServer


def test_no_posix_at_import() -> None:
    """Importing the kit needs no module that only POSIX systems have."""
    script = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios', 'uvloop'): sys.modules[name] = None\n"
        "import ecl.testing.plugin\n"
        "from ecl.testing import *\n"
        "print('imported')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "imported"


def test_other_services_load_nothing_of_it() -> None:
    """A service that is not under test loads no module for tests, and has no layer of them."""
    script = "import sys, ecl.server.app; print([name for name in sys.modules if 'ecl.server.testing' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
