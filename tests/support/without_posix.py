"""A plugin of pytest that hides what only POSIX has, as on Windows: ``-p support.without_posix``."""

from __future__ import annotations

import os
import sys

# An import of these raises ImportError from now on.
sys.modules.update(dict.fromkeys(("fcntl", "grp", "resource", "termios", "tty")))  # type: ignore[arg-type]
for _name in ("pread", "preadv", "pwrite", "pwritev", "posix_fadvise", "posix_fallocate", "sendfile", "fchmod"):
    if hasattr(os, _name):
        delattr(os, _name)
