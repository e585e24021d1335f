"""What a command loads."""

from __future__ import annotations

import os
import subprocess
import sys

from support.commands import Command

#: Libraries that a list of images has no use for.
HEAVY = {
    "alembic", "cryptography", "ecl.image.transfer", "ecl.server", "ecl.testing", "httptools", "keystoneauth1.identity",
    "oslo_utils", "rich", "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip
_SHOW = (
    "import atexit, sys; atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr));"
    "from ecl.cli.main import main; sys.argv = ['ecl', *sys.argv[1:]]; main()"
)


def modules(*words: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", _SHOW, *words], capture_output=True, text=True, check=False, env=os.environ
    )
    return set(ended.stderr.split())


def test_help_loads_click_alone() -> None:
    """`ecl --help` and `ecl image --help` load neither the SDK nor any command."""
    for words in (("--help",), ("image", "--help")):
        loaded = modules(*words)
        assert "click" in loaded
        assert not loaded & (HEAVY | {"requests", "keystoneauth1", "yaml", "ecl.connection", "ecl.cli.image.create"})


def test_list_loads_only_what_it_needs(ecl: Command) -> None:
    """With a token at hand, a list of images loads no log-in, no hashes, no progress bars."""
    ecl("image", "list")

    assert not modules("image", "list") & HEAVY


def test_version(ecl: Command) -> None:
    """--version names the program and its version."""
    from ecl import __version__

    assert ecl("--version").out == f"ecl {__version__}\n"
