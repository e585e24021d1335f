"""A real OpenStack service on loopback, under gunicorn, in a folder of its own."""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["PeerFailed", "log_tail", "run_wsgi"]

HERE = Path(__file__).parent
START_SECONDS = 60


class PeerFailed(Exception):
    """The service did not start; the message ends with its log."""


@contextlib.contextmanager
def run_wsgi(venv: Path, application: str, folder: Path, environment: Mapping[str, str], ready: str) -> Iterator[str]:
    """
    Run the WSGI *application* of *venv* until the block ends. Yields its address, without a trailing slash.

    Args:
        folder: For its logs.
        environment: The only variables that it has.
        ready: A path that it answers with a status below 400 once it is ready.

    Raises:
        PeerFailed: It ended early, or did not answer within a minute.
    """
    # gunicorn takes over a socket that already listens, so its port is known and its own.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = _start(venv, application, folder, environment, listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        _wait_until_ready(url + ready, process, folder)
        yield url
    finally:
        _stop(process)


def _start(
    venv: Path, application: str, folder: Path, environment: Mapping[str, str], listener: socket.socket
) -> subprocess.Popen[bytes]:
    # Not as arguments: Keystone takes those of its process for its own.
    arguments = ["--config", HERE / "peer_gunicorn.py", "--bind", f"fd://{listener.fileno()}"]
    arguments += ["--log-file", folder / "gunicorn.log", "--worker-tmp-dir", folder]
    settings = {"GUNICORN_CMD_ARGS": shlex.join(map(str, arguments)), "PEER_APPLICATION": application}
    with open(folder / "output.log", "wb") as output:
        return subprocess.Popen(
            [venv / "bin" / "gunicorn"],
            cwd=folder,
            env={**environment, **settings},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
        )


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    """The socket listens from the start, so one request that waits is enough; a dead process resets it."""
    deadline = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=1):
                return
        except OSError:
            continue
    raise PeerFailed(f"{url} does not answer (exit status {process.poll()}):\n{log_tail(folder)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_tail(folder: Path) -> str:
    """Return the ends of the logs in *folder*."""
    logs = sorted(folder.glob("*.log"))
    return "\n".join(log.read_text(errors="replace")[-4000:] for log in logs)
