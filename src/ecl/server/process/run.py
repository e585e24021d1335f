"""
The service as a process: its folder, its lock, its address, its signals, and what it says to its user.

The socket listens before the heavy modules are loaded: a client that connects early waits instead of failing.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from ecl.server.settings.model import Settings

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp
    from uvicorn import Server

    from ecl.server.db.engine import Database

__all__ = ["StartError", "clouds_path", "database_url", "serve", "stop_with_parent"]

_LOCK_NAME = "service.lock"
#: Connections that the system holds until the service takes them.
_BACKLOG = 2048
#: Seconds that an idle connection is kept for its client's next request.
_KEEP_ALIVE = 75


class StartError(Exception):
    """The service cannot start; the message is one sentence that says why and, where it can, what to do."""


def clouds_path(settings: Settings) -> Path:
    """Return where the service writes ``clouds.yaml``."""
    return settings.data_dir / "clouds.yaml"


def database_url(settings: Settings) -> str:
    """
    Return the SQLAlchemy URL of the database.

    Raises:
        StartError: *settings* have one that cannot be used.
    """
    from ecl.server.db.url import UnusableDatabase, parse_url

    url = settings.database_url or f"sqlite:///{settings.data_dir.absolute() / 'ecl.db'}"
    try:
        parse_url(url)
    except UnusableDatabase as exc:
        raise StartError(f"The database cannot be used: {exc}.") from exc
    return url


def serve(settings: Settings, *, ready_json: bool = False) -> int:
    """
    Run the service until SIGINT or SIGTERM, then let requests in flight finish, and return 0.

    A second signal ends the process at once, with code 130.

    Args:
        ready_json: Write one line of JSON to standard output when the service answers, for programs.

    Raises:
        StartError: The service cannot start.
    """
    # What the service writes is for its user alone.
    os.umask(0o077)
    _set_up_log(settings)
    _check_tls(settings)
    with _locked_folder(settings), _listening(settings) as listener, _opened_database(settings) as database:
        service, stop_jobs, is_fresh = _build(settings, database, listener)
        ready = lambda: _announce(settings, listener, is_fresh, ready_json)  # noqa: E731 - named for what it is
        server = _server(settings, service, ready, stop_jobs)
        server.run(sockets=[listener])
    return 0


# --- folder -------------------------------------------------------------------------------------------------


@contextmanager
def _locked_folder(settings: Settings) -> Iterator[None]:
    """Make the data folder and hold it for this process alone."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StartError(f"The data folder {folder} cannot be used: {exc.strerror}.") from exc
    with _locked(folder / _LOCK_NAME, f"data folder {folder}", "a folder of its own with --data-dir"):
        yield


@contextmanager
def _locked(path: Path, what: str, otherwise: str) -> Iterator[None]:
    """Hold *path*, which stands for *what*, for this process alone."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StartError(f"The {what} cannot be used: {exc.strerror}.") from exc
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            owner = os.read(lock, 32).decode("ascii", "replace").strip()
            raise StartError(
                f"Another service (process {owner or 'unknown'}) is using the {what}: "
                f"stop it, or give this one {otherwise}."
            ) from exc
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


# --- database -----------------------------------------------------------------------------------------------


@contextmanager
def _opened_database(settings: Settings) -> Iterator[Database]:
    """Open the database, hold this process's regions of it, and bring it to the newest schema."""
    from ecl.server.db.claim import claimed_regions
    from ecl.server.db.engine import Database

    database = Database(database_url(settings))
    with ExitStack() as stack:
        stack.callback(database.close)
        with _explained(settings):
            if database.is_sqlite:
                file = database.name
                stack.enter_context(_locked(Path(f"{file}.lock"), f"database {file}", "a database of its own"))
            else:
                regions = [region.name for region in settings.regions if not region.is_remote]
                stack.enter_context(claimed_regions(database, regions))
            database.prepare()
        yield database


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    """Turn what may go wrong at a start into `StartError`."""
    from sqlalchemy.exc import SQLAlchemyError

    from ecl.server.data.store.base import StoreError
    from ecl.server.db.metadefs_load import MetadefsError
    from ecl.server.db.url import UnusableDatabase

    try:
        yield
    except UnusableDatabase as exc:
        raise StartError(f"The database cannot be used: {exc}.") from exc
    except SQLAlchemyError as exc:
        reason = str(getattr(exc, "orig", None) or exc).splitlines()[0]
        raise StartError(f"The database cannot be used: {reason}.") from exc
    except MetadefsError as exc:
        raise StartError(f"The metadata definitions cannot be loaded: {exc.message}") from exc
    except StoreError as exc:
        raise StartError(f"The folder of the images cannot be used: {exc}.") from exc
    except OSError as exc:
        raise StartError(f"The data folder {settings.data_dir} cannot be used: {exc.strerror or exc}.") from exc


# --- address ------------------------------------------------------------------------------------------------


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as exc:
        where = f"{settings.host}:{settings.port}"
        what = "the port is in use" if "in use" in str(exc) else str(exc.strerror or exc)
        raise StartError(f"Cannot listen on {where}: {what}; choose another address with --bind.") from exc
    with listener:
        listener.setblocking(False)
        yield listener


def _local_url(settings: Settings, listener: socket.socket) -> str:
    """Return the URL under which clients on this machine reach the service."""
    return settings.public_url.rstrip("/") if settings.public_url is not None else _own_url(settings, listener)


def _own_url(settings: Settings, listener: socket.socket) -> str:
    """Return the URL of the socket itself, with nothing in front of it."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    elif not settings.host.replace(".", "").isdigit() and ":" not in settings.host:
        # A certificate is for a name.
        host = settings.host
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _check_tls(settings: Settings) -> None:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    import ssl

    for path in (settings.tls_cert, settings.tls_key):
        if not os.access(path, os.R_OK):
            raise StartError(f"The TLS file {path} is not there, or cannot be read.")
    try:
        # A password would be asked for at the terminal; "" makes an encrypted key an error.
        ssl.create_default_context().load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (ssl.SSLError, OSError) as exc:
        raise StartError(
            f"The certificate {settings.tls_cert} and the key {settings.tls_key} are no PEM files that belong "
            f"together: {getattr(exc, 'reason', None) or exc}."
        ) from exc


# --- running ------------------------------------------------------------------------------------------------


def _build(settings: Settings, database: Database, listener: socket.socket) -> tuple[ASGIApp, Callable[[], None], bool]:
    """Load everything; return the service, what stops its jobs, and True if all is new."""
    from ecl.server.app import build_service
    from ecl.server.process.clouds_file import update_auth_url
    from ecl.server.process.first_start import prepare_identity

    auth_url = f"{_local_url(settings, listener)}/v3"
    with _explained(settings):
        is_fresh = prepare_identity(database, settings, clouds_path(settings), auth_url)
        if not is_fresh:
            update_auth_url(clouds_path(settings), auth_url)
        return *build_service(settings, database, _own_url(settings, listener)), is_fresh


def _server(settings: Settings, service: ASGIApp, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> Server:
    import uvicorn

    from ecl.server.http.body_protocol import DirectBodyProtocol

    class ReadyServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            on_ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # Unlike uvicorn's own: a stop that was asked for is a success, and the second signal does not wait.
            before = {number: signal.signal(number, self.handle_exit) for number in _STOPS}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
            if self.should_exit:
                # Whatever is acknowledged is on disk already; the next start tidies up the rest.
                os._exit(130)
            self.should_exit = True
            # Its jobs are requests in flight, too, and go on at the next start.
            on_stop()
            _say("Stopping: requests in flight may finish. Ctrl-C again stops at once.")

    config = uvicorn.Config(
        service,
        loop="uvloop",
        http=DirectBodyProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    return ReadyServer(config)


_STOPS = (signal.SIGINT, signal.SIGTERM)


def stop_with_parent() -> None:
    """End this process when whoever holds the other end of its standard input is gone."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


# --- words --------------------------------------------------------------------------------------------------


def _set_up_log(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("ecl").setLevel(logging.INFO)
    if settings.access_log and settings.access_log_format == "json":
        # A line of this log is a JSON object and nothing else.
        access = logging.getLogger("ecl.access")
        access.addHandler(logging.StreamHandler(sys.stderr))
        access.propagate = False


def _announce(settings: Settings, listener: socket.socket, is_fresh: bool, ready_json: bool) -> None:
    url = _local_url(settings, listener)
    regions = [region.name for region in settings.regions if not region.is_remote]
    host = listener.getsockname()[0]
    if settings.tls_cert is None and not ip_address(host).is_loopback:
        _say(
            f"Warning: the service listens on {host} without TLS, so passwords, tokens and images cross the "
            "network in the clear. Give it --tls-cert and --tls-key, or put a TLS proxy in front."
        )
    if is_fresh:
        _say(f"First start: made the users demo and admin; their passwords are in {clouds_path(settings)}.")
    _say(f"Image service ready at {url}, regions: {', '.join(regions)}.")
    _say(f"  export OS_CLIENT_CONFIG_FILE={clouds_path(settings)} OS_CLOUD=demo")
    if ready_json:
        line = {"url": url, "auth_url": f"{url}/v3", "regions": regions, "pid": os.getpid()}
        print(json.dumps(line), flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
