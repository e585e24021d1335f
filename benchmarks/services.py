"""What is measured: the embedded service and a real Glance, their images, and the clients that use them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Failed, Sample, command
from ecl.testing import ImageService

__all__ = [
    "CLIENTS",
    "VENVS",
    "Target",
    "client_words",
    "curl_download",
    "curl_upload",
    "embedded_target",
    "fill",
    "has",
    "run_bare",
    "run_embedded",
    "run_nginx",
    "run_peer",
    "use",
    "wrk",
]

_HERE = Path(__file__).parent
VENVS = _HERE.parent / ".venvs"
#: Client to the venv that it lives in and its driver.
CLIENTS = {
    "ecl-image": (_HERE.parent / ".venv", "use_ecl.py"),
    "openstacksdk": (VENVS / "stock", "use_openstacksdk.py"),
    "glanceclient": (VENVS / "stock", "use_glanceclient.py"),
    "eclsdk": (VENVS / "eclsdk", "use_eclsdk.py"),
}
#: What nginx would keep in folders of the system.
_NGINX_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
#: Looks at whether it listens, a twentieth of a second apart.
_START_TRIES = 200
#: The tests know how to run Glance.
sys.path[:0] = [str(_HERE.parent / "tests" / "clients"), str(_HERE.parent / "tests")]


@dataclass(frozen=True, slots=True)
class Target:
    """
    An image API, ready to be used by one member of a project.

    Attributes:
        endpoint: Without ``/v2``.
        login: What the drivers of ``clients/`` take.
        pid: Of the process whose memory counts; 0 where none does.
    """

    endpoint: str
    token: str
    login: dict[str, Any]
    pid: int = 0

    def at(self, url: str) -> Target:
        """Return the same API seen through a link, with nothing but a token as login."""
        _, _, rest = self.endpoint.partition("://")
        endpoint = url + rest[rest.index("/") :] if "/" in rest else url
        login = {"auth_type": "admin_token", "auth": {"endpoint": endpoint, "token": self.token}}
        return Target(endpoint, self.token, login, self.pid)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.endpoint.partition("://")[2].partition("/")[0].rpartition(":")
        return host, int(port)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; return the answer's JSON, None if it has no body."""
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def queued(self, name: str = "bench", count: int = 1) -> list[str]:
        """Make images that wait for data; return their IDs."""
        body = {"name": name, "disk_format": "raw", "container_format": "bare"}
        return [self.call("POST", "/v2/images", body)["id"] for _ in range(count)]

    def delete(self, images: Sequence[str]) -> None:
        """Delete images."""
        for image_id in images:
            self.call("DELETE", f"/v2/images/{image_id}")


@contextlib.contextmanager
def run_embedded(**settings: Any) -> Iterator[Target]:
    """Run the embedded service, one process, as `ecl serve` does."""
    with ImageService(regions=("jp1",), testing=False, **settings) as service:
        yield embedded_target(service)


def embedded_target(service: ImageService) -> Target:
    """Return the first region of *service* as its demo user sees it."""
    auth = service.credentials()
    region = auth.pop("region_name")
    token = service.connect().session.get_token()
    assert token is not None
    login = {"auth_type": "password", "auth": auth, "region_name": region}
    return Target(f"{service.url}/image/{region}", token, login, service.pid or 0)


@contextlib.contextmanager
def run_peer(prepare: Callable[[Path], None] | None = None, database_url: str | None = None) -> Iterator[Target]:
    """
    Run a real Glance under gunicorn with one worker, with nothing of the tests' own in it but its tokens.

    Args:
        prepare: Is called with the path of its SQLite file before it starts.
        database_url: An empty database in PostgreSQL, to be used instead.
    """
    from glance_backend import run_glance

    with run_glance(writers_wait=False, prepare=prepare, database_url=database_url) as url:
        token = "token-of-member"
        yield Target(url, token, {"auth_type": "admin_token", "auth": {"endpoint": url, "token": token}})


@contextlib.contextmanager
def run_bare(folder: Path) -> Iterator[Target]:
    """Run the least that a service can be, with its files in *folder*."""
    words = [sys.executable, _HERE / "bare_service.py", folder]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Target(f"http://127.0.0.1:{port}", "none", {}, process.pid)
        finally:
            process.stdin.close()


@contextlib.contextmanager
def run_nginx(folder: Path, images: Mapping[str, Path]) -> Iterator[Target]:
    """Run nginx with sendfile, one process, which answers as the image API does with the data of *images*."""
    for image, path in images.items():
        place = folder / "v2" / "images" / image
        place.mkdir(parents=True)
        os.link(path, place / "file")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ours = "".join(f"{name}_temp_path {folder}/{name}; " for name in _NGINX_FOLDERS)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}}\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; {ours}\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    words = ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
        try:
            _wait_for_port(process, port)
            yield Target(f"http://127.0.0.1:{port}", "none", {}, process.pid)
        finally:
            process.terminate()


def _wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(_START_TRIES):
        if process.poll() is not None:
            raise Failed(f"nginx ended: {process.stderr.read().decode() if process.stderr else ''}")
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise Failed("nginx does not listen")


def has(peer: str) -> bool:
    """Return True if *peer* is there: the venv of a client or of ``glance``, or ``nginx``."""
    if peer == "ecl-image":
        return True
    if peer == "nginx":
        return shutil.which("nginx") is not None
    venv = VENVS / "glance" if peer == "glance" else CLIENTS[peer][0]
    return (venv / "installed.txt").exists()


# --- clients --------------------------------------------------------------------------------------------------


def client_words(client: str, target: Target, work: str, **task: Any) -> list[str | Path]:
    """Return the command that does *work* with one of `CLIENTS`."""
    venv, driver = CLIENTS[client]
    described = json.dumps({"login": target.login, "work": work, **task})
    return [venv / "bin" / "python", "-W", "ignore", _HERE / "clients" / driver, described]


def use(client: str, target: Target, work: str, **task: Any) -> Sample:
    """Do *work* with one of `CLIENTS` in a process of its own."""
    return command(client_words(client, target, work, **task), _environment())


def _environment() -> dict[str, str]:
    """Return our environment without what would send a client elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "ECL_", "PYTHON"))}


def curl_upload(target: Target, images: Sequence[str], paths: Sequence[Path]) -> Sample:
    """Upload with curl, one process; nothing is compared afterwards, the services hash all the same."""
    common = ["-H", f"X-Auth-Token: {target.token}", "-H", "Content-Type: application/octet-stream", "-H", "Expect:"]
    parts = [[*common, "-T", str(path), _file(target, image)] for image, path in zip(images, paths, strict=True)]
    return command(_curl(parts))


def curl_download(target: Target, images: Sequence[str], paths: Sequence[Path]) -> Sample:
    """Download with curl, one process."""
    common = ["-H", f"X-Auth-Token: {target.token}"]
    parts = [[*common, "-o", str(path), _file(target, image)] for image, path in zip(images, paths, strict=True)]
    return command(_curl(parts))


def _file(target: Target, image: str) -> str:
    return f"{target.endpoint}/v2/images/{image}/file"


def _curl(parts: Sequence[Sequence[str]]) -> list[str | Path]:
    words: list[str | Path] = ["curl"]
    for number, part in enumerate(parts):
        words += ["--next"] if number else []
        words += ["-q"] if not number else []
        words += ["--noproxy", "*", "-sS", "--fail", *part]
    return words


def wrk(target: Target, path: str, seconds: int, connections: int) -> str:
    """Load *path* with GET requests; return what wrk says."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"X-Auth-Token: {target.token}"]
    return subprocess.run([*words, target.endpoint + path], capture_output=True, text=True, check=True).stdout


# --- many images ----------------------------------------------------------------------------------------------


def fill(service: ImageService, count: int) -> None:
    """Put *count* queued images named ``image-00000`` … into the first region of a service that does not run."""
    from ecl.server.clock import now
    from ecl.server.db.images import insert_image
    from ecl.server.domain.image import Image

    region, owner = service.regions[0], service.credentials()["project_id"]
    if service.is_running:
        raise Failed("the service must not run while its database is filled")
    with service.database.write() as connection:
        for number in range(count):
            moment = now()
            image = Image(
                str(uuid.uuid4()), "queued", "shared", moment, moment,
                name=f"image-{number:05}", owner=owner, disk_format="qcow2", container_format="bare",
                tags=["bench"], properties={"os_distro": "debian", "os_version": "13"},
            )  # fmt: skip
            insert_image(connection, region, image)
