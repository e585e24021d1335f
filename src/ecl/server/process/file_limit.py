"""How many files this process may have open: each connection is one, and each transfer takes more."""

from __future__ import annotations

import resource
from contextlib import suppress

from ecl.server.http.bounded_protocol import SPARE_CONNECTIONS
from ecl.server.process.messages import say
from ecl.server.settings.model import HttpSettings

__all__ = ["raise_file_limit"]

#: Files of one transfer besides its connection: the data, and a duplicate of the socket that it is sent to.
_OF_TRANSFER = 2
#: Files for everything else: the database, jobs, logs, folders.
_SPARE_FILES = 200


def raise_file_limit(http: HttpSettings) -> None:
    """Raise the limit as far as the system lets this process; say so if it is too low for the bounds of *http*."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            # macOS does not take "unlimited", which is its hard limit.
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    needed = (
        http.max_connections + SPARE_CONNECTIONS + _OF_TRANSFER * (http.max_uploads + http.max_downloads) + _SPARE_FILES
    )
    if soft != resource.RLIM_INFINITY and soft < needed:
        say(
            f"Warning: this process may open {soft} files, and {needed} are needed for the connections and transfers "
            "that [http] allows. Raise the limit (ulimit -n, or LimitNOFILE= of a systemd unit), or lower "
            "max_connections, max_uploads and max_downloads."
        )
