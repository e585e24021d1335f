"""What a command loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import ecl
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


@pytest.mark.parametrize(
    ("left", "cause"), [(b"", "eclsdk 1.11.1 has replaced files of the package ecl"), (None, "files are missing")]
)
def test_package_of_another_distribution(tmp_path: Path, left: bytes | None, cause: str) -> None:
    """Where eclsdk was installed over this package, or was removed with its files, one line says so and what to do."""
    shutil.copytree(Path(ecl.__file__).parent, tmp_path / "ecl", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "ecl" / "__init__.py").unlink()
    if left is not None:
        (tmp_path / "ecl" / "__init__.py").write_bytes(left)
        metadata = tmp_path / "eclsdk-1.11.1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: eclsdk\nVersion: 1.11.1\n")
        (metadata / "RECORD").write_text("ecl/__init__.py,,\necl/connection.py,,\n")
    # Without the site packages' .pth files, of which one names the real package.
    code = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r}); import ecl.cli.main"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: {cause}")
    assert "reinstall ecl-image" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
