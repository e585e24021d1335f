"""``ecl serve`` with a Keystone, as its operator meets it: what goes wrong at start, and commands that do not apply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.http_stub import HttpStub, Keystone, make_certificate

ECL = Path(sys.executable).with_name("ecl")
LIMIT = 60


def run(folder: Path, auth_url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``ecl serve`` with a Keystone in its settings, *more* of them, and the data folder ``data``."""
    (folder / "password").write_text("top-secret")
    keystone = {"auth_url": auth_url, "username": "image", "password_file": "password", "timeout": 5, **more}
    settings = {"data_dir": "data", "port": 0, "keystone": keystone}
    (folder / "service.json").write_text(json.dumps(settings))
    return subprocess.run(
        [ECL, "serve", *arguments, "--config", "service.json"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    """A server that is a Keystone."""
    with HttpStub() as running:
        yield running


def refusal(ended: subprocess.CompletedProcess[str], folder: Path) -> str:
    """Return the one line of a start that was refused, and changed nothing."""
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert not (folder / "data").exists()
    assert "top-secret" not in ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def test_wrong_password(tmp_path, stub):
    """A Keystone that refuses the service's user is one line that says what to check."""
    Keystone(stub).refuses = True
    line = refusal(run(tmp_path, stub.url), tmp_path)

    assert f"The Keystone at {stub.url}/v3 refuses the user image on the project service: check username" in line
    assert stub.lines == ["POST /v3/auth/tokens?nocatalog"]


def test_no_answer(tmp_path):
    """A Keystone that is not there is one line with its address."""
    with HttpStub() as gone:
        url = gone.url
    line = refusal(run(tmp_path, url), tmp_path)

    assert f"The Keystone at {url}/v3 cannot be used: " in line


def test_foreign_ca(tmp_path):
    """A Keystone with a certificate of an unknown CA is one line; with that CA in cacert the service gets further."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        line = refusal(run(tmp_path, stub.url), tmp_path)
        assert f"The certificate of the Keystone at {stub.url}/v3 is not accepted: name the CA" in line
        assert "cacert in [keystone]" in line
        Keystone(stub).refuses = True
        assert "refuses the user" in refusal(run(tmp_path, stub.url, cacert=str(certificate[0])), tmp_path)
        assert "cacert" in refusal(run(tmp_path, stub.url, cacert="password"), tmp_path)


def test_not_a_keystone(tmp_path, stub):
    """What is at the address and is no Keystone is one line, too."""
    line = refusal(run(tmp_path, stub.url), tmp_path)

    assert f"The Keystone at {stub.url}/v3 cannot be used: " in line


@pytest.mark.parametrize(
    "command",
    [
        ("user", "list"),
        ("user", "create", "a", "--generate"),
        ("user", "grant", "a", "admin", "b"),
        ("project", "list"),
        ("project", "create", "a", "--region", "jp1"),
    ],
)
def test_users_are_elsewhere(tmp_path, command):
    """The commands for users and projects say where these are; the Keystone is not asked."""
    line = refusal(run(tmp_path, "https://keystone.invalid/v3", *command), tmp_path)

    assert "Users and projects are those of the Keystone at https://keystone.invalid/v3 ([keystone]" in line
