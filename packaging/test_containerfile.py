"""The Containerfile, run step by step in a plain Debian root by `make packages`: as root, with mmdebstrap."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import containerfile
import pytest

ROOT = Path(__file__).resolve().parent.parent
ECL = Path(sys.executable).with_name("ecl")
SECONDS = 120
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> containerfile.Stage:
    """The root that the Containerfile makes."""
    if os.geteuid() or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    folder = tmp_path_factory.mktemp("container")
    base, context = folder / "base", folder / "context"
    subprocess.run(["mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", base], check=True)
    # A container has the first from its engine; behind a proxy with a CA of its own, pip needs the second.
    for path in ("/etc/resolv.conf", CERTIFICATES):
        shutil.copy(path, base / path[1:])
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!/"):
            _copy(ROOT / line[2:], context / line[2:])
    environ = {
        "PIP_CERT": CERTIFICATES,
        "REQUESTS_CA_BUNDLE": CERTIFICATES,
        "SSL_CERT_FILE": CERTIFICATES,
        "DEBIAN_FRONTEND": "noninteractive",
    }
    return containerfile.build(ROOT / "packaging" / "Containerfile", context, base, folder, environ)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


@pytest.fixture
def port(stage: containerfile.Stage) -> Iterator[int]:
    """The port of a running container: what ENTRYPOINT and CMD say, as its user."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = int(listener.getsockname()[1])
    words = stage.command("env", f"ECL_SERVE_PORT={number}", *containerfile.words_of(stage))
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Image service ready" in line:
                break
        yield number
        process.terminate()
        assert process.wait(SECONDS) == 0


def test_service_runs_as_its_own_user(stage: containerfile.Stage, port: int) -> None:
    """It keeps its data in /data, for its user alone, and answers the health check."""
    clouds = stage.root / "data" / "clouds.yaml"
    health = stage.recorded["HEALTHCHECK"].partition("CMD ")[2]
    checked = subprocess.run(stage.command("env", f"ECL_SERVE_PORT={port}", "sh", "-c", health), check=False)
    elsewhere = subprocess.run(
        stage.command("env", "ECL_SERVE_PORT=9", "sh", "-c", health), check=False, capture_output=True
    )

    assert (clouds.stat().st_uid, oct(clouds.stat().st_mode & 0o777)) == (10001, "0o600")
    assert (checked.returncode, elsewhere.returncode) == (0, 1)


@pytest.mark.usefixtures("port")
def test_command_of_the_container_and_of_this_machine(stage: containerfile.Stage, tmp_path: Path) -> None:
    """Both use the service by its clouds.yaml: one makes an image, the other shows it."""
    clouds = {"OS_CLIENT_CONFIG_FILE": "/data/clouds.yaml", "OS_CLOUD": "demo"}
    disk = stage.root / "tmp" / "disk.raw"
    disk.write_bytes(os.urandom(100_000))
    inside = [f"{name}={value}" for name, value in clouds.items()]
    subprocess.run(
        stage.command("env", *inside, "ecl", "image", "create", "disk", "--file", "/tmp/disk.raw"), check=True
    )
    environ = {**os.environ, **clouds, "OS_CLIENT_CONFIG_FILE": str(stage.root / "data" / "clouds.yaml")}
    saved = tmp_path / "saved"
    subprocess.run([ECL, "image", "download", "disk", "--file", saved], check=True, env=environ)

    assert saved.read_bytes() == disk.read_bytes()


def test_no_tool_of_the_build_is_left(stage: containerfile.Stage) -> None:
    """The image that is kept has neither the sources nor a compiler nor lists of packages."""
    left = [path for path in ("source", "usr/bin/gcc", "var/lib/apt/lists/lock") if (stage.root / path).exists()]

    assert left == []
