"""What tests of transfers share."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from support.faulty_proxy import Fault, FaultyProxy

__all__ = ["DATA", "DRIVER", "NewImage", "check_alone", "finish", "leave_part", "left_threads", "start"]

#: More than one block and one record, and no multiple of anything.
DATA = random.Random(5).randbytes((5 << 20) + 4321)

NewImage = Callable[..., Image]

#: The program that :func:`start` runs.
DRIVER = str(Path(__file__).with_name("transfer_driver.py"))


def left_threads() -> list[str]:
    """Return the names of the engine's threads that do not come to their end."""
    left = []
    for thread in threading.enumerate():
        if thread.name.startswith(("download-", "file-hash-", "digest-", "transfer")):
            thread.join(5)
            if thread.is_alive():
                left.append(thread.name)
    return left


def start(url: str, token: str, work: str, image: str | None, path: Path | str, **more: Any) -> subprocess.Popen[str]:
    """Begin a transfer in a process of its own, at the service at *url*; see ``transfer_driver.py``."""
    arguments = {
        "endpoint": f"{url}/image/jp1", "token": token, "work": work, "image": image, "path": str(path), **more,
    }  # fmt: skip
    command = [sys.executable, DRIVER, json.dumps(arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the end of a transfer, and return what it reports."""
    output, _ = process.communicate(timeout=60)
    report: dict[str, Any] = json.loads(output.splitlines()[-1])
    return report


def check_alone(target: Path, data: bytes = DATA) -> None:
    """The file is right, and nothing else is in its folder."""
    is_right = target.read_bytes() == data
    assert is_right
    assert list(target.parent.iterdir()) == [target]


def leave_part(behind: Proxy, link: FaultyProxy, image: str, target: Path, at: int) -> None:
    """Let a download end for good after *at* bytes."""
    link.add(Fault(cut_at=at), Fault(times=None, answer=404))
    with pytest.raises(exceptions.NotFoundException):
        behind.download_image(image, output=target)
    link.heal()
    link.forget()
    assert target.with_name("disk.raw.part").exists()
