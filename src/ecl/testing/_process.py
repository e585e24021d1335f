"""The process of a service: whether it can be started, that it is ready, and its end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ecl.exceptions import SDKException

__all__ = ["ServiceFailed", "await_ready", "check_packages", "end"]

#: Packages of the extra [server], by the names that are imported.
_NEEDS = ("msgspec", "starlette", "uvicorn", "httptools", "uvloop", "sqlalchemy", "alembic", "jsonschema_rs")
#: Seconds that a start may take on a busy machine before it has failed.
_START_LIMIT = 60


class ServiceFailed(SDKException):
    """The service did not start; the message ends with its log."""


def check_packages() -> None:
    """Raise ServiceFailed if packages of the extra are not installed."""
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        raise ServiceFailed(
            f"The image service needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'ecl-image[server]'"
        )


def await_ready(process: subprocess.Popen[bytes], log: Callable[[], str]) -> dict[str, Any]:
    """
    Return what a service writes when it answers.

    Args:
        log: Returns the log, for the message.

    Raises:
        ServiceFailed: It has ended, or does not answer. The process is killed then.
    """
    assert process.stdout is not None
    deadline = time.monotonic() + _START_LIMIT
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        block = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not block:
            why = f"it ended with code {process.wait()}" if ready else f"no answer within {_START_LIMIT} s"
            end(process, kill=True, limit=_START_LIMIT)
            raise ServiceFailed(f"The image service did not start: {why}. Its log:\n{log()}")
        line += block
    answer: dict[str, Any] = json.loads(line)
    return answer


def end(process: subprocess.Popen[bytes], *, kill: bool, limit: float) -> int:
    """
    End *process*, and return its exit code.

    Args:
        kill: Do it with SIGKILL at once; else that is done after *limit* seconds.
    """
    if kill:
        process.kill()
    else:
        process.terminate()
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    return code
