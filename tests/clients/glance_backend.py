"""A real Glance on loopback: gunicorn, SQLite or PostgreSQL, and two file stores in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from wsgi_peer import PeerFailed, log_tail, run_wsgi

__all__ = ["glance_is_installed", "run_glance"]

HERE = Path(__file__).parent
VENV = HERE.parent.parent / ".venvs" / "glance"
#: A database with Glance's schema and no rows: making one takes seconds, copying it none.
EMPTY_DATABASE = VENV / "empty.sqlite"

_CONFIG = """\
[DEFAULT]
debug = false
log_file = {folder}/glance.log
use_stderr = false
enabled_backends = fast:file,cheap:file
enabled_import_methods = [glance-direct,web-download,copy-image,glance-download]
node_staging_uri = file://{folder}/staging/
[database]
connection = {database}
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = {folder}/fast
store_description = first store
[cheap]
filesystem_store_datadir = {folder}/cheap
store_description = second store
[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = []
[paste_deploy]
config_file = {folder}/paste.ini
[oslo_concurrency]
lock_path = {folder}/locks
"""

_PASTE = """\
[pipeline:glance-api]
pipeline = cors versionnegotiation tokens context rootapp
[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/: versions
/v2: v2
[app:versions]
paste.app_factory = glance.api.versions:create_resource
[app:v2]
paste.app_factory = glance.api.v2.router:API.factory
[filter:cors]
paste.filter_factory = oslo_middleware.cors:filter_factory
oslo_config_project = glance
oslo_config_program = glance-api
[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:tokens]
paste.filter_factory = {tokens}
[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory
"""


def glance_is_installed() -> bool:
    """True if scripts/test-inputs could make Glance's venv."""
    return (VENV / "installed.txt").exists()


@contextlib.contextmanager
def run_glance(
    *,
    writers_wait: bool = True,
    prepare: Callable[[Path], None] | None = None,
    database_url: str | None = None,
    more_config: str = "",
    tokens: str = "glance_auth_filter:filter_factory",
) -> Iterator[str]:
    """
    Start a Glance, with no images unless *prepare* adds some, and stop it at the end.

    Yields the address of its root, without a trailing slash.

    Args:
        writers_wait: Keep background tasks from being lost to a locked database (`peer_gunicorn`). It costs Glance
            one statement more for each transaction, so the benchmarks leave it out.
        prepare: Is called with the path of the SQLite file before the start, also if it is not used.
        database_url: An empty database in PostgreSQL; None: an SQLite file.
        more_config: Follows the usual configuration, and overrides it; ``{folder}`` is Glance's folder.
        tokens: The paste filter that knows the tokens.

    Raises:
        PeerFailed: It ended early, or did not answer within a minute.
    """
    with tempfile.TemporaryDirectory(prefix="glance-") as name:
        folder = Path(name)
        _configure(folder, database_url, more_config, tokens)
        if prepare is not None:
            prepare(folder / "glance.sqlite")
        environment = _environment(folder)
        if writers_wait:
            environment["GLANCE_WRITERS_WAIT"] = "1"
        with run_wsgi(VENV, "glance.wsgi.api:application", folder, environment, "/versions") as url:
            yield url


def _configure(folder: Path, database_url: str | None, more: str, tokens: str) -> None:
    for part in ("staging", "fast", "cheap", "tasks", "locks"):
        (folder / part).mkdir()
    database = f"sqlite:///{folder}/glance.sqlite"
    if database_url is not None:
        database = database_url.replace("postgresql://", "postgresql+psycopg://")
        _add_driver(folder)
    (folder / "glance-api.conf").write_text((_CONFIG + more).format(folder=folder, database=database))
    (folder / "paste.ini").write_text(_PASTE.format(tokens=tokens))
    if database_url is not None:
        _sync_database(folder)
        return
    if not EMPTY_DATABASE.exists():
        _make_empty_database(folder)
    shutil.copyfile(EMPTY_DATABASE, folder / "glance.sqlite")


def _add_driver(folder: Path) -> None:
    """Let Glance, whose own venv has no driver for PostgreSQL, import ours."""
    import psycopg

    for path in Path(psycopg.__file__).parent.parent.glob("psycopg*"):
        (folder / path.name).symlink_to(path)


def _make_empty_database(folder: Path) -> None:
    _sync_database(folder)
    # Two runs may do this at once: each moves a whole file into place.
    beside = EMPTY_DATABASE.with_suffix(f".{os.getpid()}")
    shutil.move(folder / "glance.sqlite", beside)
    beside.replace(EMPTY_DATABASE)


def _sync_database(folder: Path) -> None:
    command = [VENV / "bin" / "glance-manage", "--config-file", folder / "glance-api.conf", "db_sync"]
    done = subprocess.run(command, env=_environment(folder), capture_output=True, text=True)
    if done.returncode:
        raise PeerFailed(f"glance-manage db_sync failed:\n{done.stderr[-4000:]}{log_tail(folder)}")


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "OS_GLANCE_CONFIG_DIR": str(folder),
        "PYTHONPATH": f"{HERE}:{folder}",
    }
