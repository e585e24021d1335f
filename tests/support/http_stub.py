"""
A real HTTP server with scripted answers, for tests of what a client sends and what it makes of the answers.

::

    with HttpStub() as stub:
        stub.on("GET", "/v2/images", Answer.json({"images": []}))
        …
        assert stub.last.query == {"limit": ["1000"]}
"""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Answer", "HttpStub", "Keystone", "Reply", "Request", "make_certificate"]


@dataclass
class Request:
    """What a client sent."""

    method: str
    #: Path and query as they were on the wire.
    target: str
    headers: dict[str, str]
    #: The body, or as much of it as the answer asked to be read.
    body: bytes = field(default=b"", repr=False)
    #: The client's: requests over one connection have the same.
    port: int = 0

    @property
    def path(self) -> str:
        """The path as it was on the wire, quoted."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query, parsed."""
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def line(self) -> str:
        """Method and target."""
        return f"{self.method} {self.target}"


@dataclass
class Answer:
    """What the server says."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Bytes of the body that are sent before the connection is dropped; None: all, and it stays open.
    cut: int | None = None
    #: True: the connection is dropped without an answer.
    dropped: bool = False
    #: Bytes of the request's body that are read before the answer; None: all.
    reads: int | None = None
    #: True: no Content-Length, but chunks.
    chunked: bool = False
    #: Sent in chunks after *body*, until they end or the client leaves.
    blocks: Iterable[bytes] = ()

    @classmethod
    def json(cls, content: object, status: int = 200, **headers: str) -> Answer:
        """Answer with JSON; underscores in names of *headers* stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})

    @classmethod
    def data(cls, body: bytes, status: int = 200, **options: Any) -> Answer:
        """Answer with the bytes of an image."""
        return cls(status, body, {"Content-Type": "application/octet-stream", **options.pop("headers", {})}, **options)

    @classmethod
    def drop(cls, reads: int | None = None) -> Answer:
        """Answer nothing, after *reads* bytes of the body."""
        return cls(dropped=True, reads=reads)


#: Seconds that a request in work may go on after its connection was dropped.
_HANG_UP_SECONDS = 10.0

#: An answer, or what makes one of the request.
Reply = Answer | Callable[[Request], Answer]


class HttpStub:
    """An HTTP server on a free port of this machine. Requests whose client went away on the way do not count."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        """Serve by https, given the paths of a *certificate* and its key."""
        self.requests: list[Request] = []
        #: Requests that no answer was scripted for. They get status 418.
        self.unexpected: list[str] = []
        self._script: dict[tuple[str, str], list[Reply]] = {}
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._closed = threading.Condition(self._lock)
        stub = self

        class Handler(_Handler):
            owner = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.port = self._server.server_address[1]
        #: Address without a trailing slash.
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="http-stub")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.hang_up()

    def reset(self) -> None:
        """Drop all connections, and forget script and requests."""
        self.hang_up()
        self._script.clear()
        self.requests = []
        self.unexpected = []

    def hang_up(self) -> None:
        """Drop all connections; no request is in work any more, nor will one that was sent before come in late."""
        with self._closed:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            assert self._closed.wait_for(lambda: not self._connections, _HANG_UP_SECONDS), "a request does not end"

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Answer *method* on *path* (quoted, without a query) with *replies* in order; the last one for good."""
        assert replies, "what shall it answer?"
        self._script[method, path] = list(replies)

    @property
    def last(self) -> Request:
        """The newest request."""
        return self.requests[-1]

    @property
    def lines(self) -> list[str]:
        """Method and target of each request, in order."""
        return [request.line for request in self.requests]

    def reply_to(self, request: Request) -> Answer:
        """Find the answer to *request*; it may need only part of the body, or none."""
        with self._lock:
            self.requests.append(request)
            replies = self._script.get((request.method, request.path))
            if replies is None:
                self.unexpected.append(request.line)
                return Answer.json({"message": f"not scripted: {request.line}"}, 418)
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply(request) if callable(reply) else reply

    def add(self, connection: socket.socket) -> None:
        """Drop this connection when the server hangs up."""
        with self._lock:
            self._connections.add(connection)

    def remove(self, connection: socket.socket) -> None:
        """Nothing comes over this connection any more."""
        with self._closed:
            self._connections.discard(connection)
            self._closed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    owner: HttpStub
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.owner.add(self.request)
        super().setup()

    def handle(self) -> None:
        # A client that goes away, or does not trust the certificate, is none of the server's troubles.
        with suppress(OSError, ssl.SSLError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
        self.owner.remove(self.request)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        request.port = self.client_address[1]
        peek = self.owner._script.get((request.method, request.path), [None])[0]
        reads = peek.reads if isinstance(peek, Answer) else None
        request.body = b"".join(self._body(reads))
        answer = self.owner.reply_to(request)
        if answer.dropped:
            self._hang_up()
        else:
            self._send(answer, early=reads is not None)

    def _body(self, most: int | None) -> Iterator[bytes]:
        """Yield the body as it comes, up to *most* bytes."""
        left = most
        for block in self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._counted(most):
            yield block if left is None else block[:left]
            if left is not None:
                left -= len(block)
                if left <= 0:
                    return

    def _counted(self, most: int | None) -> Iterator[bytes]:
        length = int(self.headers.get("Content-Length") or 0)
        left = length if most is None else min(length, most)
        while left:
            block = self.rfile.read(min(left, 1 << 16))
            if not block:
                raise ConnectionError("the client went away")
            left -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield self.rfile.read(size)
            self._line()
        self._line()

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the client went away")
        return line

    def _send(self, answer: Answer, early: bool) -> None:
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        if answer.chunked and body and not answer.blocks:
            framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _halves(body))
            body = framed if answer.cut is not None else framed + b"0\r\n\r\n"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.chunked or answer.blocks:
            self.send_header("Transfer-Encoding", "chunked")
        elif answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        if early:
            self.send_header("Connection", "close")
        self.end_headers()
        if answer.blocks:
            self._send_blocks(itertools.chain([body] if body else [], answer.blocks))
        elif self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        if answer.cut is not None:
            self._hang_up()
        elif early:
            self._linger()

    def _send_blocks(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _linger(self) -> None:
        """Close as good servers do: say that nothing more comes, and take what is still on its way."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(5)
        while self.connection.recv(1 << 16):
            pass


def _halves(body: bytes) -> list[bytes]:
    middle = len(body) // 2
    return [part for part in (body[:middle], body[middle:]) if part]


class Keystone:
    """A Keystone on a stub: log-ins of any kind, a new token each time, image endpoints in one region or more."""

    def __init__(self, stub: HttpStub, image_url: str | None = None, *, lifetime: float = 3600) -> None:
        """
        Script *stub*.

        Args:
            image_url: Endpoint in the catalog; the stub's own by default.
            lifetime: Seconds that a token is good for.
        """
        self._stub = stub
        self.lifetime = lifetime
        self.regions = {"jp1": image_url or stub.url}
        #: Of each region; with more than one, each has an address of its own.
        self.interfaces: tuple[str, ...] = ("public",)
        #: Other services in the catalog, at ``/TYPE/REGION/INTERFACE``; nothing answers there.
        self.other_services: tuple[str, ...] = ()
        #: Bodies of the log-ins so far.
        self.logins: list[Any] = []
        #: A log-in is refused while this is true.
        self.refuses = False
        document = {
            "id": "v3.14",
            "status": "stable",
            "links": [{"rel": "self", "href": stub.url.replace("https:", "http:") + "/v3/"}],
        }
        for path in ("/v3", "/v3/"):
            stub.on("GET", path, Answer.json({"version": document}))
        for path in ("/", "", "/identity"):
            stub.on("GET", path, Answer.json({"versions": {"values": [document]}}, 300))
        stub.on("POST", "/v3/auth/tokens", self._log_in)

    @property
    def token(self) -> str:
        """The newest token."""
        return f"token-{len(self.logins)}"

    def serve_images(self, regions: Iterable[str], interfaces: Iterable[str]) -> None:
        """Have an image service without images in each of *regions*, at ``/image/REGION/INTERFACE``."""
        self.interfaces = tuple(interfaces)
        self.regions = {name: f"{self._stub.url}/image/{name}" for name in regions}
        for name in self.regions:
            for interface in self.interfaces:
                self.serve_versions(f"/image/{name}/{interface}")

    def serve_versions(self, path: str) -> None:
        """Have an image service without images at *path*, with its versions."""
        link = {"rel": "self", "href": f"{self._stub.url}{path}/v2/"}
        versions = {"versions": [{"id": "v2.15", "status": "CURRENT", "links": [link]}]}
        for end in ("", "/", "/v2", "/v2/"):
            self._stub.on("GET", path + end, Answer.json(versions, 300))
        self._stub.on("GET", f"{path}/v2/images", Answer.json({"images": []}))

    def _log_in(self, request: Request) -> Answer:
        if self.refuses:
            error = {"code": 401, "message": "The request you have made requires authentication.", "title": "U"}
            return Answer.json({"error": error}, 401, x_openstack_request_id="req-keystone")
        self.logins.append(request.json)
        catalog = [{"id": "i", "type": "image", "name": "glance", "endpoints": self._endpoints(self.regions)}]
        for kind in self.other_services:
            urls = {name: f"{self._stub.url}/{kind}/{name}" for name in self.regions}
            catalog.append({"id": kind, "type": kind, "name": kind, "endpoints": self._endpoints(urls)})
        return Answer.json(
            {
                "token": {
                    "methods": ["password"],
                    "user": {"id": "u", "name": "u", "domain": {"id": "default", "name": "Default"}},
                    "project": {"id": "0" * 32, "name": "p", "domain": {"id": "default", "name": "Default"}},
                    "expires_at": _time(self.lifetime),
                    "issued_at": _time(0),
                    "catalog": catalog,
                }
            },
            201,
            X_Subject_Token=self.token,
        )

    def _endpoints(self, urls: Mapping[str, str]) -> list[dict[str, str]]:
        return [
            {
                "id": f"{name}-{interface}", "interface": interface, "region": name, "region_id": name,
                "url": url if len(self.interfaces) == 1 else f"{url}/{interface}",
            }
            for name, url in urls.items()
            for interface in self.interfaces
        ]  # fmt: skip

    def options(self, **more: Any) -> dict[str, Any]:
        """Return what a connection needs to log in here."""
        return {
            "auth_url": self._stub.url + "/v3/",
            "username": "key",
            "password": "top-secret",
            "project_id": "0" * 32,
            **more,
        }


def _time(seconds_from_now: float) -> str:
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds_from_now)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine, good for a day; return the paths of it and of its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
