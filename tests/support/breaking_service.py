"""
The service, killed at a moment that is hard to hit from outside: ``python breaking_service.py MOMENT``.

The process sends itself SIGKILL there, so nothing of it can tidy up. It breaks once: a file in the data folder says
that it has.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Moment to what is called there (module, class, method), and whether death comes before or after it.
MOMENTS = {
    "before the upload is flushed": ("ecl.server.data.store.folder", "FolderWriter", "flush", "before"),
    "before the file has its name": ("ecl.server.data.store.folder", "FolderWriter", "commit", "before"),
    "after the file has its name, before the row is committed": (
        "ecl.server.data.store.folder",
        "FolderWriter",
        "commit",
        "after",
    ),
    "after the image is active, before the answer": ("ecl.server.data.upload", "_Intake", "finish", "after"),
    "after the row is deleted, before the bytes are": (
        "ecl.server.data.store.folder",
        "FolderStore",
        "delete",
        "before",
    ),
    "after the copy's image is made": ("ecl.server.jobs.copies.run", "_Copying", "_target", "after"),
    "in the middle of a copy": ("ecl.server.jobs.copies.run", "_Copying", "_progress", "after"),
    "after an import's bytes are staged": ("ecl.server.jobs.imports.run", "_Importing", "stage_data", "after"),
    "before an import's store is recorded": ("ecl.server.jobs.imports.run", "_Importing", "_record", "before"),
    "after an import's store is recorded": ("ecl.server.jobs.imports.run", "_Importing", "_record", "after"),
    "before an import is said to be done": ("ecl.server.jobs.imports.run", "_Importing", "succeed", "before"),
    "before a failed import is undone": ("ecl.server.jobs.imports.run", "_Importing", "fail", "before"),
    "before a canceled copy's image is removed": (
        "ecl.server.jobs.copies.run",
        "_Copying",
        "_remove_target",
        "before",
    ),
}


def break_at(moment: str, mark: Path) -> None:
    """Make the process die at *moment*, unless *mark* says that one did."""
    module, name, method, when = MOMENTS[moment]
    owner = getattr(__import__(module, fromlist=[name]), name)
    setattr(owner, method, _dying(getattr(owner, method), when, mark))


def _dying(original: Callable[..., Any], when: str, mark: Path) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            result = original(*args, **kwargs)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return result if when == "after" else original(*args, **kwargs)

    return call


if __name__ == "__main__":
    from ecl.server.__main__ import main

    break_at(sys.argv[1], Path(os.environ["ECL_SERVE_CONFIG"]).with_name("has-died"))
    sys.exit(main())
