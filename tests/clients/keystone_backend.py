"""A real Keystone on loopback, with SQLite in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wsgi_peer import PeerFailed, run_wsgi

__all__ = ["PASSWORD", "keystone_is_installed", "run_keystone"]

VENV = Path(__file__).parent.parent.parent / ".venvs" / "keystone"
#: A database with the user admin, and keys for tokens: making them takes seconds, copying them none.
PREPARED = VENV / "prepared"
#: Of its user admin, who has the role admin on the project admin.
PASSWORD = "secret"

_CONFIG = """\
[DEFAULT]
log_file = {folder}/keystone.log
use_stderr = false
[database]
connection = sqlite:///{folder}/keystone.sqlite
[token]
provider = fernet
expiration = {token_seconds}
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[identity]
password_hash_rounds = 4
"""


def keystone_is_installed() -> bool:
    """True if scripts/test-inputs could make Keystone's venv."""
    return (VENV / "installed.txt").exists()


@contextlib.contextmanager
def run_keystone(token_seconds: int = 3600) -> Iterator[str]:
    """
    Start a Keystone with the user and project admin, and stop it at the end. Yields its address.

    Args:
        token_seconds: How long its tokens are valid.

    Raises:
        PeerFailed: It could not be set up, ended early, or did not answer within a minute.
    """
    with tempfile.TemporaryDirectory(prefix="keystone-") as name:
        folder = Path(name)
        (folder / "keystone.conf").write_text(_CONFIG.format(folder=folder, token_seconds=token_seconds))
        environment = {"PATH": os.defpath, "HOME": name, "OS_KEYSTONE_CONFIG_DIR": name}
        if PREPARED.exists():
            shutil.copytree(PREPARED, folder, dirs_exist_ok=True)
        else:
            _prepare(folder, environment)
        with run_wsgi(VENV, "keystone.wsgi.api:application", folder, environment, "/v3") as url:
            yield url


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    """Make database and keys in *folder*, and a copy for the next time."""
    _manage(folder, environment, "db_sync")
    owner = ("--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
    _manage(folder, environment, "fernet_setup", *owner)
    _manage(folder, environment, "bootstrap", "--bootstrap-password", PASSWORD)
    # Two runs may do this at once: each moves a whole folder into place, and the second one fails.
    beside = PREPARED.with_suffix(f".{os.getpid()}")
    beside.mkdir()
    shutil.copy(folder / "keystone.sqlite", beside)
    shutil.copytree(folder / "fernet", beside / "fernet")
    try:
        beside.rename(PREPARED)
    except OSError:
        shutil.rmtree(beside)


def _manage(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    command = [VENV / "bin" / "keystone-manage", "--config-file", folder / "keystone.conf", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise PeerFailed(f"keystone-manage {arguments[0]} failed:\n{done.stderr[-4000:]}")
