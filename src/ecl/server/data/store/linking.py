"""The same data under a second name: a hard link where that is possible, because data never changes, else a copy."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["link_or_copy"]


def link_or_copy(source: Path, target: Path, *, link: bool) -> bool:
    """
    Give the data of *source* the name *target*, which must not exist. A copy is synced to disk; a link needs no sync.

    Args:
        link: False: always copy.

    Returns:
        True if it is a link.

    Raises:
        OSError: It is neither possible. There is no *target* then.
    """
    if link:
        try:
            os.link(source, target, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except OSError:
            # Another file system, one without links, or a file that has too many.
            pass
        else:
            return True
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with source.open("rb") as reader, open(os.open(target, flags, 0o600), "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(writer.fileno())
    except FileExistsError:
        raise
    except OSError:
        with suppress(FileNotFoundError):
            target.unlink()
        raise
    return False
