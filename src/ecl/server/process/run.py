"""
The service as a process, from its start to its stop.

The socket listens before the heavy modules are imported: a client that connects early waits instead of failing.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ecl.server.process.database import opened_database
from ecl.server.process.keystone import check_keystone
from ecl.server.process.listen import check_tls, listening, local_url, own_url
from ecl.server.process.lock import locked_folder
from ecl.server.process.messages import announce, set_up_log
from ecl.server.process.start_error import explained_start
from ecl.server.settings.model import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from ecl.server.db.engine import Database

__all__ = ["TEMPORARY_FOLDER", "clouds_path", "serve", "stop_with_parent"]

#: Variable with the path of the folder to remove with this process.
TEMPORARY_FOLDER = "ECL_TEMPORARY_FOLDER"


def clouds_path(settings: Settings) -> Path:
    """Return where the service writes ``clouds.yaml``: an absolute path, which can be used from any folder."""
    return Path(os.path.abspath(settings.data_dir)) / "clouds.yaml"


def serve(settings: Settings, *, ready_json: bool = False) -> int:
    """
    Run the service until SIGINT or SIGTERM, then let requests in flight finish, and return 0.

    A second signal ends the process at once, with code 130.

    Args:
        ready_json: Write one line of JSON to standard output when the service is ready, for programs.

    Raises:
        StartError: The service cannot start.
    """
    # Only the service's own user may read what it writes.
    os.umask(0o077)
    set_up_log(settings)
    check_tls(settings)
    check_keystone(settings)
    with locked_folder(settings), listening(settings) as listener, opened_database(settings) as database:
        service, stop_jobs, is_fresh = _build(settings, database, listener)

        def on_ready() -> None:
            announce(settings, listener, clouds_path(settings), is_fresh=is_fresh, ready_json=ready_json)

        from ecl.server.process.file_limit import raise_file_limit
        from ecl.server.process.server import build_server

        raise_file_limit(settings.http)
        build_server(settings, service, on_ready, stop_jobs).run(sockets=[listener])
    return 0


def _build(settings: Settings, database: Database, listener: socket.socket) -> tuple[ASGIApp, Callable[[], None], bool]:
    """Import and build everything. Return the service, a function that stops its jobs, and True at the first start."""
    from ecl.server.app import build_service
    from ecl.server.data.region import open_regions
    from ecl.server.process.clouds_file import self_signed, update_clouds
    from ecl.server.process.first_start import prepare_identity

    auth_url = f"{local_url(settings, listener)}/v3"
    with explained_start(settings):
        # First, because nothing may change in the wrong database, least of all clouds.yaml.
        regions = open_regions(settings, database)
        is_fresh = False
        if settings.keystone is None:
            is_fresh = prepare_identity(database, settings, clouds_path(settings), auth_url)
            cacert = self_signed(settings.tls_cert)
            if cacert is not None or not is_fresh:
                update_clouds(clouds_path(settings), auth_url, cacert)
        return *build_service(settings, database, regions, own_url(settings, listener)), is_fresh


def stop_with_parent() -> None:
    """
    End this process when its standard input ends, because the parent process has ended.

    The parent's temporary folder, if `TEMPORARY_FOLDER` names one, is removed: the parent can no longer do that.
    """

    def wait() -> None:
        while os.read(0, 1024):
            pass
        folder = os.environ.get(TEMPORARY_FOLDER)
        if folder:
            # Another program in place of this one: no thread of ours can write into the folder any more.
            script = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
            os.execv(sys.executable, [sys.executable, "-I", "-c", script, folder])  # noqa: S606 - our own command
        os._exit(1)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
