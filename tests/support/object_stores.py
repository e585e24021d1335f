"""Object storage of the tests' own: SeaweedFS with its S3 gateway, in a temporary folder, on free ports."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ecl.server.data.store.marker import NAME as MARKER
from ecl.server.data.store.objects.bucket import open_bucket
from ecl.server.data.store.objects.store import ObjectStore
from ecl.server.settings.model import StoreSettings

__all__ = ["BUCKET", "ObjectStorage", "StoredObject", "prefix_of", "running_rclone", "running_storage", "seaweedfs"]

PROGRAMS = Path(__file__).parents[2] / ".venvs" / "object-stores" / "bin"
BUCKET = "images"
#: Access keys by what they may do; the secret of each is its own name, backwards.
_RIGHTS = {
    "ecl-admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "ecl-service": [f"{right}:{BUCKET}" for right in ("Read", "Write", "List", "Tagging")],
    "ecl-reader": [f"{right}:{BUCKET}" for right in ("Read", "List")],
    "ecl-stranger": ["Read:other"],
}
#: It runs until standard input ends, so also when the tests are killed, and leaves nothing behind.
_SCRIPT = """
exec 3<&0 2> /dev/null
"$@" > "$0/log" 2>&1 3<&- &
server=$!
trap 'kill -9 $server; cd /; rm -rf "$0"' EXIT
(cat <&3 > /dev/null; kill -9 $server) &
wait $server
"""
_START_LIMIT = 60


def secret_of(access_key: str) -> str:
    """Return the secret of an access key."""
    return access_key[::-1]


def _free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on, nor on those that are 10000 above: SeaweedFS speaks gRPC there."""
    found: list[int] = []
    # Below the ports that the system gives to others meanwhile.
    for port in random.sample(range(10_000, 22_000), 1000):
        with suppress(OSError), ExitStack() as stack:
            for each in (port, port + 10_000):
                stack.enter_context(socket.create_server(("127.0.0.1", each)))
            found.append(port)
        if len(found) == number:
            return found
    raise AssertionError("there are no free ports")


def prefix_of(folder: Path, region: str) -> str:
    """Return the prefix that belongs to a region of a service in *folder*."""
    return f"{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}/{region}"


@dataclass(frozen=True)
class StoredObject:
    """An object, to be used as the path of a file is."""

    storage: ObjectStorage
    path: str

    @property
    def name(self) -> str:
        """Its key."""
        return self.path.rpartition("/")[2]

    def read_bytes(self) -> bytes:
        """Return its bytes."""
        return bytes(self.storage.client().get(self.path).bytes())

    def write_bytes(self, data: bytes) -> None:
        """Replace its bytes."""
        self.storage.client().put(self.path, data)

    def unlink(self) -> None:
        """Remove it."""
        self.storage.client().delete(self.path)

    def as_uri(self) -> str:
        """Return its URL."""
        return f"s3://{BUCKET}/{self.path}"


class ObjectStorage:
    """A running storage with the bucket `BUCKET`."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.endpoint = endpoint
        self._folder = folder

    def settings(self, prefix: str | None = None, key: str = "ecl-service", **more: Any) -> StoreSettings:
        """Return the settings of a store under *prefix*; None: one that nothing else uses."""
        prefix = f"p-{uuid.uuid4()}" if prefix is None else prefix
        secret = self._folder / f"secret-{key}"
        secret.write_text(f"{secret_of(key)}\n", encoding="ascii")
        options = {
            "name": "folder",
            "url": f"s3://{BUCKET}/{prefix}",
            "endpoint": self.endpoint,
            "allow_http": True,
            "access_key_id": key,
            "secret_access_key_file": secret,
            "removal_delay": 0.0,
        }
        return StoreSettings(**{**options, **more})

    def store(self, prefix: str | None = None, **more: Any) -> ObjectStore:
        """Return a store under *prefix*; None: one that nothing else uses."""
        settings = self.settings(prefix, **more)
        return ObjectStore(open_bucket(settings), settings.name, removal_delay=settings.removal_delay)

    def default_store(self, folder: Path, region: str) -> dict[str, Any]:
        """Return the settings of the store of a service in *folder*, as a file of settings has them."""
        settings = self.settings(prefix_of(folder, region))
        return {
            name: getattr(settings, name) for name in settings.__struct_fields__ if getattr(settings, name) is not None
        }

    def client(self, key: str = "ecl-admin") -> S3Store:
        """Return a client of the whole bucket."""
        return S3Store(
            BUCKET,
            endpoint=self.endpoint,
            access_key_id=key,
            secret_access_key=secret_of(key),
            client_options={"allow_http": True},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        )

    def objects(self, prefix: str) -> list[StoredObject]:
        """Return all objects under *prefix* but the marker."""
        paths = sorted(each["path"] for page in self.client().list(prefix) for each in page)
        return [StoredObject(self, path) for path in paths if not path.endswith(MARKER)]


def _program(name: str) -> Path:
    program = PROGRAMS / name
    if not program.exists():
        pytest.skip(f"{name} is not installed (scripts/test-inputs)")
    return program


@contextmanager
def running_storage() -> Iterator[ObjectStorage]:
    """Run a storage; the test skips where it is not installed."""
    program = _program("weed")
    folder = Path(tempfile.mkdtemp(prefix="ecl-objects-"))
    identities = [
        {"name": name, "credentials": [{"accessKey": name, "secretKey": secret_of(name)}], "actions": actions}
        for name, actions in _RIGHTS.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}), encoding="ascii")
    (folder / "data").mkdir()
    services = ("master", "volume", "filer", "s3")
    ports = dict(zip(services, _free_ports(len(services)), strict=True))
    server = subprocess.Popen(
        [
            "/bin/sh", "-c", _SCRIPT, folder, program, "-logtostderr=true", "server", f"-dir={folder / 'data'}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={folder / 's3.json'}",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=50", "-master.volumeSizeLimitMB=512",
            "-master.telemetry=false", *(f"-{name}.localSocket={folder / name}" for name in ("filer", "s3")),
            *(f"-{name}.port={port}" for name, port in ports.items()),
        ],
        stdin=subprocess.PIPE,
        cwd="/",
        # Ctrl-C is for us: we end it.
        start_new_session=True,
    )  # fmt: skip
    storage = ObjectStorage(f"http://127.0.0.1:{ports['s3']}", folder)
    try:
        _make_bucket(storage, server, folder / "log")
        yield storage
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
        for name, port in ports.items():
            Path(f"/tmp/seaweedfs-{name}-grpc-{port + 10_000}.sock").unlink(missing_ok=True)


def _make_bucket(storage: ObjectStorage, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an administrator can write: that makes the bucket."""
    deadline = time.monotonic() + _START_LIMIT
    while True:
        try:
            storage.client().put("first", b"x")
            storage.client().delete("first")
            return
        except BaseError as exc:
            if time.monotonic() > deadline or server.poll() is not None:
                pytest.fail(f"the storage did not start: {exc}\n{log.read_text()[-2000:]}", pytrace=False)
            time.sleep(0.1)


@contextmanager
def running_rclone() -> Iterator[ObjectStorage]:
    """Run rclone's S3 server, which answers each range by 200; the test skips where it is not installed."""
    program = _program("rclone")
    folder = Path(tempfile.mkdtemp(prefix="ecl-objects-"))
    (folder / "data" / BUCKET).mkdir(parents=True)
    (port,) = _free_ports(1)
    keys = ("ecl-service", "ecl-admin")
    command = [
        "/bin/sh", "-c", _SCRIPT, folder, program, "serve", "s3", f"--addr=127.0.0.1:{port}", "--config=/dev/null",
        *(f"--auth-key={key},{secret_of(key)}" for key in keys), folder / "data",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True)
    storage = ObjectStorage(f"http://127.0.0.1:{port}", folder)
    try:
        _make_bucket(storage, server, folder / "log")
        yield storage
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()


#: What the services of the tests have by default; None: folders.
chosen: ObjectStorage | None = None


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[ObjectStorage]:
    """Object storage; the test skips where it is not installed."""
    with running_storage() as storage:
        yield storage
