"""A service whose bucket cannot be used does not start: one line says what is wrong, and nothing is changed."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from ecl.testing import ImageService, ServiceFailed
from support.http_stub import Answer, HttpStub
from support.object_stores import BUCKET, ObjectStorage, running_rclone


def _store(storage: ObjectStorage, **more: Any) -> dict[str, Any]:
    settings = storage.settings(**more)
    names = settings.__struct_fields__
    return {name: str(value) if isinstance(value := getattr(settings, name), Path) else value for name in names}


def _error(folder: Path, *stores: dict[str, Any], **settings: Any) -> str:
    """Start a service that must not start; return the one line that it writes."""
    with pytest.raises(ServiceFailed) as raised:
        ImageService(({"name": "jp1", "stores": list(stores)},), data_dir=folder / "data", **settings).__enter__()
    first, *lines = str(raised.value).strip().splitlines()
    assert "code 1." in first
    (line,) = lines
    assert "Traceback" not in line
    return line


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"url": "s3://no-such-bucket/x", "key": "ecl-admin"},
            "there is no such bucket: create it, or correct the url",
        ),
        ({"url": "s3://not-our-bucket/x"}, "the access key has no right to read the bucket: give it this right"),
        ({"key": "ecl-nobody"}, "does not know the access key"),
        ({"key": "ecl-reader"}, "the access key has no right to write to the bucket: give it this right"),
        ({"key": "ecl-stranger"}, "the access key has no right to read the bucket: give it this right"),
        ({"access_key_id": "ecl-reader"}, "the secret key is not the one of the access key"),
        ({"endpoint": f"http://127.0.0.1:{_free_port()}"}, "nothing answers at the endpoint"),
        ({"endpoint": "http://no-such-host.invalid"}, "the host of the endpoint cannot be found"),
        ({"secret_access_key_file": "/no/such/file"}, "secret_access_key_file /no/such/file cannot be read: No such"),
        ({"cacert": "/no/such/file"}, "the cacert /no/such/file cannot be read: No such"),
    ],
)
def test_what_is_wrong(tmp_path: Path, seaweedfs: ObjectStorage, changes: dict[str, Any], words: str) -> None:
    """Each mistake has a sentence of its own, which names the bucket and says what to do; the bucket stays as it is."""
    before = seaweedfs.objects("")

    line = _error(tmp_path, _store(seaweedfs, **changes))
    assert re.search(words, line), line
    assert line.startswith("Error: The bucket of the images cannot be used: "), line
    assert seaweedfs.objects("") == before
    assert not (tmp_path / "data" / "clouds.yaml").exists()


def test_a_foreign_marker(tmp_path: Path, seaweedfs: ObjectStorage) -> None:
    """A prefix that another service uses is refused, with the name of its owner."""
    store = _store(seaweedfs)
    with ImageService(({"name": "jp1", "stores": [store]},), data_dir=tmp_path / "first") as service:
        service.stop()
    line = _error(tmp_path, store)

    assert f"{store['url']} belongs to the store folder of region jp1 in the database" in line
    assert "give this store a prefix of its own" in line
    assert f"remove {store['url']}/.ecl-store.json by hand" in line


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "RequestTimeTooSkewed", "the clock of this machine is too far from the service's clock: set it"),
        (301, "PermanentRedirect", "the bucket is in another region of the service: set bucket_region"),
        (507, "InsufficientStorage", "the service answers GET with 507"),
    ],
)
def test_what_the_service_answers(tmp_path: Path, seaweedfs: ObjectStorage, status: int, code: str, words: str) -> None:
    """Error codes of S3 that the storage here does not give are understood, too."""
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    with HttpStub() as stub:
        store = _store(seaweedfs, endpoint=stub.url, prefix="x")
        stub.on("GET", f"/{BUCKET}/x/.ecl-store.json", Answer(status, body, {"Content-Type": "application/xml"}))
        line = _error(tmp_path, store)
    assert words in line


def test_a_service_that_answers_ranges_wrongly(tmp_path: Path, seaweedfs: ObjectStorage) -> None:
    """A storage that answers a range with 200 cannot serve images; the start says so, and leaves nothing there."""
    with running_rclone() as storage:
        line = _error(tmp_path, _store(storage))
        assert "the service answers a range of bytes by the wrong status, so images cannot be read" in line
        assert storage.objects("") == []


def test_no_credentials(tmp_path: Path, seaweedfs: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any credentials the start says where they can be set."""
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{_free_port()}")
    store = _store(seaweedfs, access_key_id=None, secret_access_key_file=None)

    assert "there are no credentials" in _error(tmp_path, store)


@pytest.mark.parametrize(
    "where", ["environment", "file of the environment", "file of the home", "file of the settings"]
)
def test_where_credentials_are_found(
    tmp_path: Path, seaweedfs: ObjectStorage, monkeypatch: pytest.MonkeyPatch, home: Path, where: str
) -> None:
    """The usual variables and files are read, as other tools read them."""
    path = home / ".aws" / "credentials" if where == "file of the home" else tmp_path / "keys"
    path.parent.mkdir(exist_ok=True)
    secret = "ecl-service"[::-1]
    lines = f"aws_access_key_id = ecl-service\naws_secret_access_key = {secret}\n"
    more: dict[str, Any] = {}
    if where == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ecl-service")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    elif where == "file of the settings":
        path.write_text(f"[images]\n{lines}")
        more = {"credentials_file": str(path), "profile": "images"}
    else:
        path.write_text(f"[default]\naws_access_key_id = x\n[images]\n{lines}")
        monkeypatch.setenv("AWS_PROFILE", "images")
        if where == "file of the environment":
            monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    store = _store(seaweedfs, access_key_id=None, secret_access_key_file=None, **more)

    with ImageService(({"name": "jp1", "stores": [store]},)) as service:
        image = service.connect().image.create_image(name="x", data=os.urandom(1000), disk_format="raw")
        assert image.status == "active"
        assert secret not in service.log


def test_without_the_extra(tmp_path: Path, seaweedfs: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where obstore is not installed, the error names the extra."""
    blocked = tmp_path / "blocked" / "obstore"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ModuleNotFoundError('no obstore', name='obstore')\n")
    monkeypatch.setenv("PYTHONPATH", str(blocked.parent))

    assert "is in a bucket: install ecl-image[s3]" in _error(tmp_path, _store(seaweedfs))
