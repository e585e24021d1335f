"""Upload and download, and everything that can go wrong with them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from ecl.server.data.store.base import StoreFull, StoreUnavailable, Writer
from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.model import ImageLimits
from support.images import RealImage
from support.region_service import Client, RegionService, poll, run_region
from support.unsafe_images import IMPOSSIBLE, SAFE, UNSAFE

MIB = 1 << 20
RAW = {"disk_format": "raw", "container_format": "bare"}
NO_DATA = dict.fromkeys(("size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"))


def assert_queued_and_clean(region: RegionService, client: Client, image_id: str) -> None:
    """Nothing of an upload remains, and the next one works."""
    image = client.show(image_id)
    assert {**image, **NO_DATA, "status": "queued"} == image
    assert region.data_files() == []
    response = client.upload(image_id, b"second try")
    assert response.status_code == 204, response.text
    assert client.get(f"/v2/images/{image_id}/file").content == b"second try"


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 5 * MIB + 7])
@pytest.mark.parametrize("chunked", [False, True])
def test_upload_and_download(region: RegionService, alpha: Client, size: int, chunked: bool) -> None:
    """What comes back is what was sent, with size and hashes, with and without Content-Length."""
    data = os.urandom(size)
    image = alpha.create(**RAW)
    source: Any = (data[at : at + 100_000] for at in range(0, size, 100_000)) if chunked else data
    response = alpha.upload(image["id"], source)
    assert (response.status_code, response.content) == (204, b"")

    shown = alpha.show(image["id"])
    assert shown["status"] == "active"
    assert (shown["size"], shown["virtual_size"]) == (size, size or None)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert shown["checksum"] == md5
    assert (shown["os_hash_algo"], shown["os_hash_value"]) == ("sha512", hashlib.sha512(data).hexdigest())
    download = alpha.get(image["file"])
    assert download.status_code == 200
    assert download.content == data
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["Content-MD5"] == md5
    assert download.headers["Content-Length"] == str(size)
    assert region.data_files() == [region.data_file(image["id"])]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"X-Image-Meta-Store": "elsewhere"}, 400),
        ({"X-OpenStack-Image-Size": "ten"}, 400),
        ({"X-OpenStack-Image-Size": "-1"}, 400),
        ({"X-OpenStack-Image-Size": "9"}, 400),
        ({"X-OpenStack-Image-Size": "11"}, 400),
    ],
)
def test_refused_uploads_leave_the_image_queued(
    region: RegionService, alpha: Client, headers: dict[str, str], status: int
) -> None:
    """A wrong type, store or size is refused, and a retry works."""
    image = alpha.create(**RAW)
    assert alpha.upload(image["id"], b"0123456789", headers).status_code == status
    assert_queued_and_clean(region, alpha, image["id"])


def test_accepted_upload_headers(alpha: Client) -> None:
    """Media type parameters, the declared size and the region's own store are fine."""
    headers = {
        "Content-Type": "application/octet-stream; charset=binary",
        "X-OpenStack-Image-Size": "10",
        "X-Image-Meta-Store": "folder",
    }
    assert alpha.upload(alpha.create(**RAW)["id"], b"0123456789", headers).status_code == 204


def test_formats_must_be_set_and_data_is_immutable(alpha: Client) -> None:
    """Without formats an upload is 400; a second one is 409 and changes nothing."""
    image = alpha.create(disk_format="raw")
    assert alpha.upload(image["id"], b"x").status_code == 400
    image = alpha.active(b"first")
    assert alpha.upload(image["id"], b"second").status_code == 409
    assert alpha.get(image["file"]).content == b"first"


@pytest.mark.parametrize("declared", [True, False])
def test_image_size_cap(tmp_path: Path, declared: bool) -> None:
    """One byte beyond the cap is 413, whether or not the client said how much would come."""
    with run_region(tmp_path, limits=ImageLimits(image_size_cap=10)) as region:
        client = region.client()
        image = client.create(**RAW)
        data: Any = b"x" * 11 if declared else iter([b"x" * 11])
        assert client.upload(image["id"], data).status_code == 413
        assert_queued_and_clean(region, client, image["id"])


def open_upload(region: RegionService, client: Client, image_id: str, length: int) -> socket.socket:
    """Begin an upload by hand: send the head and some bytes, and wait until the image is saving."""
    connection = socket.create_connection(region.address)
    token = client.session.headers["X-Auth-Token"]
    connection.sendall(
        f"PUT /v2/images/{image_id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token!s}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    connection.sendall(b"x" * (2 * MIB))
    poll(lambda: client.show(image_id)["status"] == "saving")
    return connection


def test_while_an_upload_runs(region: RegionService, alpha: Client) -> None:
    """A saving image has no data to download, takes no second upload, and may still be updated."""
    image = alpha.create(**RAW)
    with open_upload(region, alpha, image["id"], 3 * MIB) as connection:
        response = alpha.get(image["file"])
        assert (response.status_code, response.content) == (204, b"")
        assert alpha.upload(image["id"], b"y").status_code == 409
        assert alpha.patch(image["id"], {"op": "replace", "path": "/name", "value": "n"}).status_code == 200
        connection.sendall(b"x" * MIB)
        assert connection.recv(100).startswith(b"HTTP/1.1 204")
    assert alpha.show(image["id"])["size"] == 3 * MIB
    assert alpha.show(image["id"])["name"] == "n"


def test_a_client_that_goes_away(region: RegionService, alpha: Client) -> None:
    """A connection cut in the middle puts the image back to queued, without bytes, and a retry works."""
    image = alpha.create(**RAW)
    open_upload(region, alpha, image["id"], 100 * MIB).close()
    poll(lambda: alpha.show(image["id"])["status"] == "queued")
    assert_queued_and_clean(region, alpha, image["id"])


def test_delete_during_an_upload(region: RegionService, alpha: Client) -> None:
    """The uploader of an image that is deleted meanwhile gets 410, and no bytes remain."""
    image = alpha.create(**RAW)
    with open_upload(region, alpha, image["id"], 3 * MIB) as connection:
        assert alpha.request("DELETE", image["self"]).status_code == 204
        connection.sendall(b"x" * MIB)
        assert connection.recv(100).startswith(b"HTTP/1.1 410")
    assert region.data_files() == []
    assert alpha.get(image["self"]).status_code == 404


def test_of_two_uploads_one_wins(region: RegionService, alpha: Client) -> None:
    """Of many uploads at once exactly one is taken, and the bytes are its own."""
    image = alpha.create(**RAW)
    results: dict[int, int] = {}

    def upload(number: int) -> None:
        data = bytes([number]) * (2 * MIB)
        results[number] = region_clients[number].upload(image["id"], data).status_code

    region_clients = [region.client() for _ in range(6)]
    threads = [threading.Thread(target=upload, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, status in results.items() if status == 204]
    assert sorted(results.values()) == [204] + [409] * 5
    assert alpha.get(image["file"]).content == bytes(winners) * (2 * MIB)


class _FailingStore(FolderStore):
    """A folder whose disk gives *error* once *after* bytes have come."""

    def __init__(self, root: Path, error: Exception, after: int) -> None:
        super().__init__(root)
        self.error, self.after, self.armed = error, after, True

    def writer(self, key: str, size: int | None = None) -> Any:
        """Return a writer that fails, once."""
        writer = super().writer(key)
        if not self.armed:
            return writer
        self.armed = False
        return _FailingWriter(writer, self.error, self.after)


class _FailingWriter(Writer):
    def __init__(self, inner: Writer, error: Exception, after: int) -> None:
        self._inner, self._error, self._left = inner, error, after

    def write(self, block: Any) -> None:
        self._left -= len(block)
        if self._left < 0:
            raise self._error
        self._inner.write(block)

    def flush(self) -> None:
        self._inner.flush()

    def commit(self) -> None:
        self._inner.commit()
        if self._left == 0:
            raise self._error

    def abort(self) -> None:
        self._inner.abort()


@pytest.mark.parametrize("after", [0, 2 * MIB, 4 * MIB])
@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreFull("full!"), 507), (StoreUnavailable("gone"), 503), (RuntimeError("a bug"), 500)],
)
def test_a_store_that_fails(tmp_path: Path, error: Exception, status: int, after: int) -> None:
    """A full or broken store, at the first byte, in the middle or after the last, leaves the image queued."""
    store = _FailingStore(tmp_path / "images" / "jp1", error, after)
    with run_region(tmp_path, store=store) as region:
        client = region.client()
        image = client.create(**RAW)
        response = client.upload(image["id"], os.urandom(4 * MIB))
        assert response.status_code == status
        assert str(error) not in response.text
        assert_queued_and_clean(region, client, image["id"])


@pytest.mark.folder_store
def test_a_disk_that_is_really_full(region: RegionService, alpha: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC from the operating system is 507."""

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    image = alpha.create(**RAW)
    with monkeypatch.context() as patch:
        patch.setattr("ecl.server.data.store.folder.os.fsync", full)
        assert alpha.upload(image["id"], b"x").status_code == 507
    assert_queued_and_clean(region, alpha, image["id"])


# --- content --------------------------------------------------------------------------------------------------


def test_real_images_of_each_format(alpha: Client, real_image: Any) -> None:
    """A real image of the declared format is taken, with the virtual size of its header."""
    for name in ("qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso"):
        image: RealImage = real_image(name)
        made = alpha.create(disk_format=image.disk_format, container_format="bare")
        response = alpha.upload(made["id"], image.path.read_bytes())
        assert response.status_code == 204, (name, response.text)


def test_formats_need_not_match(tmp_path: Path, real_image: Any) -> None:
    """Without require_image_format_match, other content is taken, without a virtual size; unsafe content never is."""
    content = real_image("vdi").path.read_bytes()
    with run_region(tmp_path, require_image_format_match=False) as service:
        alpha = service.client("alpha")
        wrong = alpha.active(content, disk_format="qcow2", container_format="bare")
        right = alpha.active(content, disk_format="vdi", container_format="bare")
        unsafe = alpha.create(disk_format="vmdk", container_format="bare")
        refused = alpha.upload(unsafe["id"], UNSAFE["a qcow2 with a backing file"][1])

        assert (wrong["status"], wrong["size"], wrong["virtual_size"]) == ("active", len(content), None)
        assert right["virtual_size"] == real_image("vdi").virtual_size
        assert refused.status_code == 415
        assert "not safe" in refused.text
        assert alpha.get(f"/v2/images/{wrong['id']}/file").content == content


@pytest.mark.parametrize("disk_format", ["qcow2", "iso", "vmdk", "ami"])
def test_content_of_another_format(region: RegionService, alpha: Client, disk_format: str, real_image: Any) -> None:
    """Content that is not what it is said to be is 415, and the image is queued and clean."""
    content = real_image("vdi").path.read_bytes()
    image = alpha.create(disk_format=disk_format, container_format="bare")
    assert alpha.upload(image["id"], content).status_code == 415
    alpha.patch(image["id"], {"op": "replace", "path": "/disk_format", "value": "raw"})
    assert_queued_and_clean(region, alpha, image["id"])


def test_raw_may_be_anything_and_wrapped_images_are_not_inspected(alpha: Client, real_image: Any) -> None:
    """A raw image keeps its byte count as virtual size, whatever is in it; an OVA is not looked into."""
    content = real_image("vdi").path.read_bytes()
    raw = alpha.active(content)
    assert raw["virtual_size"] == len(content)
    ova = alpha.active(content, disk_format="vmdk", container_format="ova")
    assert ova["virtual_size"] is None
    kernel = alpha.active(b"a kernel", disk_format="aki", container_format="aki")
    assert kernel["virtual_size"] is None
    assert alpha.active(b"plain", disk_format="ami")["virtual_size"] is None


@pytest.mark.parametrize("disk_format", ["qcow2", "raw"])
def test_a_backing_file_is_refused(alpha: Client, disk_format: str, real_image: Any) -> None:
    """An image that would make a hypervisor read another file is 415, even when it is called raw."""
    content = real_image("backed").path.read_bytes()
    image = alpha.create(disk_format=disk_format, container_format="bare")
    response = alpha.upload(image["id"], content)
    assert response.status_code == 415
    assert "backing_file" in response.json()["message"]


@pytest.mark.parametrize("called_raw", [False, True])
@pytest.mark.parametrize("what", [*UNSAFE, *IMPOSSIBLE])
def test_unsafe_content_is_refused(region: RegionService, alpha: Client, what: str, called_raw: bool) -> None:
    """Unsafe or impossible content is 415, whether it is called what it is or raw, and nothing is kept of it."""
    disk_format, content, word = (UNSAFE | IMPOSSIBLE)[what]
    image = alpha.create(disk_format="raw" if called_raw else disk_format, container_format="bare")
    response = alpha.upload(image["id"], content)
    assert response.status_code == 415
    assert word in response.json()["message"]
    alpha.patch(image["id"], {"op": "replace", "path": "/disk_format", "value": "raw"})
    assert_queued_and_clean(region, alpha, image["id"])


@pytest.mark.parametrize("what", SAFE)
def test_safe_content_is_taken(alpha: Client, what: str) -> None:
    """Content that differs little from what is refused is taken, with the virtual size that its header says."""
    disk_format, content, virtual_size = SAFE[what]
    assert alpha.active(content, disk_format=disk_format)["virtual_size"] == virtual_size


# --- download -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "content", "content_range"),
    [
        ("bytes=0-4", b"01234", "bytes 0-4/10"),
        ("bytes=2-", b"23456789", "bytes 2-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=0-100", b"0123456789", "bytes 0-9/10"),
        ("bytes=-100", b"0123456789", "bytes 0-9/10"),
        ("bytes=-0", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_ranges(alpha: Client, header: str, content: bytes, content_range: str) -> None:
    """A range is 206 with its place in the whole and the hash of the whole."""
    image = alpha.active()
    response = alpha.get(image["file"], headers={"Range": header})
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["Content-Range"] == content_range
    assert response.headers["Content-Length"] == str(len(content))
    assert response.headers["Content-MD5"] == image["checksum"]


def test_refused_ranges(alpha: Client) -> None:
    """What is no range of this image is 416, several ranges are 400; the older request header works, too."""
    path = alpha.active()["file"]
    for header in ("bytes=10-", "bytes=5-2", "bytes=a-b", "items=0-1", "", "bytes=-", "bytes=" + "9" * 5000 + "-"):
        assert alpha.get(path, headers={"Range": header}).status_code == 416, header
    assert alpha.get(path, headers={"Range": "bytes=0-1,3-4"}).status_code == 400
    assert alpha.get(path, headers={"Content-Range": "bytes 2-4/*"}).content == b"234"
    assert alpha.get(path, headers={"Content-Range": "bytes 2-40/*"}).status_code == 416
    assert alpha.get(path, headers={"Content-Range": "bytes */10"}).status_code == 416
    empty = alpha.active(b"")["file"]
    assert alpha.get(empty, headers={"Range": "bytes=0-0"}).status_code == 416
    queued = alpha.create()["file"]
    assert alpha.get(queued, headers={"Range": "bytes=0-0"}).status_code == 204


@pytest.mark.folder_store
def test_a_delete_does_not_cut_a_download_short(region: RegionService, alpha: Client) -> None:
    """Whoever has begun to download gets it all, though the image is deleted meanwhile."""
    data = os.urandom(32 * MIB)
    image = alpha.active(data)
    with alpha.get(image["file"], stream=True) as response:
        received = response.raw.read(1000)
        assert region.client().request("DELETE", image["self"]).status_code == 204
        received += response.raw.read()
    assert received == data
    assert region.data_files() == []


def test_missing_or_short_bytes_are_503(region: RegionService, alpha: Client) -> None:
    """Bytes that somebody took from the store are never served as if they were whole."""
    image = alpha.active()
    file = region.data_files()[0]
    file.write_bytes(b"012")
    assert alpha.get(image["file"]).status_code == 503
    file.unlink()
    assert alpha.get(image["file"]).status_code == 503


def test_other_methods(alpha: Client) -> None:
    """HEAD and DELETE of the data are 405."""
    path = alpha.active()["file"]
    for method in ("HEAD", "DELETE", "POST"):
        response = alpha.request(method, path)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, PUT")


def test_expect_continue(region: RegionService, alpha: Client) -> None:
    """A client that waits for 100 Continue gets it, or its error before it sends a byte."""
    token = alpha.session.headers["X-Auth-Token"]

    def head(image_id: str) -> bytes:
        return (
            f"PUT /v2/images/{image_id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token!s}\r\nContent-Length: 3\r\n"
            "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\n\r\n"
        ).encode()

    image = alpha.create(**RAW)
    with socket.create_connection(region.address) as connection:
        connection.sendall(head(image["id"]))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert connection.recv(1000).startswith(b"HTTP/1.1 204")
    with socket.create_connection(region.address) as connection:
        connection.sendall(head(image["id"]))
        assert connection.recv(1000).startswith(b"HTTP/1.1 409")


# --- after a crash --------------------------------------------------------------------------------------------


@pytest.fixture
def crashed(tmp_path: Path) -> dict[str, str]:
    """A data folder as a process leaves it that dies in the middle of everything."""
    from ecl.server.db.images import change_status, mark_deleted
    from ecl.server.db.uploads import UploadRow, add_upload

    ids: dict[str, str] = {}
    with run_region(tmp_path) as region:
        client = region.client()
        for name in ("kept", "deleted"):
            ids[name] = client.active(name.encode())["id"]
        for name in ("saving", "renamed"):
            ids[name] = client.create(**RAW)["id"]
            upload = UploadRow(str(uuid.uuid4()), "jp1", ids[name], "folder", str(uuid.uuid4()), "a dead node")
            with region.database.write() as connection:
                changes = {"upload_id": upload.upload_id}
                change_status(connection, "jp1", ids[name], before="queued", after="saving", values=changes)
                add_upload(connection, upload)
            writer = region.region.store.writer(upload.key)
            writer.write(b"half")
            # The bytes got their name, but the row was not committed; and the other way round at a delete.
            if name == "renamed":
                writer.commit()
        with region.database.write() as connection:
            mark_deleted(connection, "jp1", ids["deleted"])
        (tmp_path / "images" / "jp1" / "lost+found").mkdir()
    return ids


@pytest.mark.folder_store
def test_recovery_at_start(tmp_path: Path, crashed: dict[str, str]) -> None:
    """After a crash every half-done thing is undone or finished, and nothing that was promised is lost."""
    with run_region(tmp_path) as region:
        client = region.client()
        assert region.data_files() == [region.data_file(crashed["kept"])]
        assert client.get(f"/v2/images/{crashed['kept']}/file").content == b"kept"
        assert client.get(f"/v2/images/{crashed['deleted']}").status_code == 404
        for name in ("saving", "renamed"):
            assert client.show(crashed[name])["status"] == "queued"
            assert client.upload(crashed[name], b"again").status_code == 204
        assert (tmp_path / "images" / "jp1" / "lost+found").is_dir()


def test_unexpected_errors_say_nothing(region: RegionService, alpha: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is a 500 with the request ID and nothing of the inside."""
    region.tokens.callers[str(alpha.session.headers["X-Auth-Token"])] = None  # type: ignore[assignment]
    response = alpha.get("/v2/images")
    assert response.status_code == 500
    assert response.headers["x-openstack-request-id"] in json.loads(response.text)["message"]
    assert "NoneType" not in response.text
