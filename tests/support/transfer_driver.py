"""
A transfer in a process of its own, which a test may limit, watch, interrupt and kill.

Run as ``python transfer_driver.py JSON``: endpoint, token, work (``upload`` or ``download``), image, path, and
*connections* of a download; or the work ``uploads``, which makes an image of *path* by each of *names*, or
``downloads``, which writes the image to each of *names* in the folder *path*. It writes ``begun`` when the first bytes
have moved, and at the end JSON: its peak memory before and after, in bytes, and the error, if there was one.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import ecl
from ecl import exceptions
from ecl.image.transfer import download, upload  # noqa: F401 - loaded before memory is measured


def main(arguments: dict[str, Any]) -> int:
    """Do the work; return the exit code."""
    conn = ecl.connect(auth_type="admin_token", endpoint=arguments["endpoint"], token=arguments["token"])
    report: dict[str, Any] = {"error": None}
    begun = threading.Event()

    def progress(done: int, total: int | None) -> None:
        if done and not begun.is_set():
            begun.set()
            print("begun", flush=True)

    if arguments["image"] is not None:
        conn.image.get_image(arguments["image"])
    before = peak()
    try:
        if arguments["work"] == "upload":
            conn.image.upload_image(arguments["image"], arguments["path"], progress=progress)
        elif arguments["work"] == "uploads":
            formats = {"disk_format": "raw", "container_format": "bare"}
            wanted = [{"name": name, "data": arguments["path"], **formats} for name in arguments["names"]]
            conn.image.upload_images(wanted, progress=progress)
        elif arguments["work"] == "downloads":
            folder = Path(arguments["path"])
            pairs = [(arguments["image"], folder / name) for name in arguments["names"]]
            conn.image.download_images(pairs, progress=progress)
        else:
            conn.image.download_image(
                arguments["image"],
                output=arguments["path"],
                progress=progress,
                connections=arguments.get("connections"),
            )
    except (exceptions.SDKException, KeyboardInterrupt) as exc:
        report["error"] = [type(exc).__name__, str(exc), *getattr(exc, "__notes__", [])]
    report.update(before=before, peak=peak(), threads=[each.name for each in threading.enumerate()])
    print(json.dumps(report), flush=True)
    return 0 if report["error"] is None else 1


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    # Not ru_maxrss: that begins with what the parent had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
