"""The address of the service: its socket, its URLs, its certificate."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from ecl.server.process.start_error import StartError
from ecl.server.settings.model import Settings

__all__ = ["BACKLOG", "check_tls", "listening", "local_url", "own_url"]

#: Connections that the system queues until the service accepts them.
BACKLOG = 2048


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Yield a socket that listens on the address of the settings. Raises StartError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as exc:
        where = f"{settings.host}:{settings.port}"
        what = "the port is in use" if "in use" in str(exc) else str(exc.strerror or exc)
        raise StartError(f"Cannot listen on {where}: {what}; choose another address with --bind.") from exc
    with listener:
        listener.setblocking(False)
        yield listener


def local_url(settings: Settings, listener: socket.socket) -> str:
    """Return the URL of the service for clients on this machine."""
    return settings.public_url.rstrip("/") if settings.public_url is not None else own_url(settings, listener)


def own_url(settings: Settings, listener: socket.socket) -> str:
    """Return the URL of the socket itself, without a proxy."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    elif not settings.host.replace(".", "").isdigit() and ":" not in settings.host:
        # A certificate has a name.
        host = settings.host
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def check_tls(settings: Settings) -> None:
    """Check that the certificate and the key can be loaded. Raises StartError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    import ssl

    for path in (settings.tls_cert, settings.tls_key):
        if not os.access(path, os.R_OK):
            raise StartError(f"The TLS file {path} is not there, or cannot be read.")
    try:
        # Without a password, OpenSSL would ask for one at the terminal; "" makes an encrypted key an error.
        ssl.create_default_context().load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (ssl.SSLError, OSError) as exc:
        raise StartError(
            f"The certificate {settings.tls_cert} and the key {settings.tls_key} are not PEM files that "
            f"belong together: {getattr(exc, 'reason', None) or exc}."
        ) from exc
