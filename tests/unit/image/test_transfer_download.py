"""Receiving data: verified, resumed, and never half under its final name."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.transfer import download as download_function
from ecl.image.v2.image import Image
from support.http_stub import Answer

DATA = bytes(range(1, 256)) * 10_000
FILE = "/v2/images/abc/file"


def described(data=DATA, **more):
    """Return an active image with *data*."""
    return {
        "id": "abc",
        "status": "active",
        "size": len(data),
        "checksum": hashlib.md5(data).hexdigest(),
        "os_hash_algo": "sha512",
        "os_hash_value": hashlib.sha512(data).hexdigest(),
        **more,
    }


@pytest.fixture
def service(stub):
    """A function that scripts the image and the answers to the download."""

    def script(*answers, **more):
        stub.on("GET", "/v2/images/abc", Answer.json(described(**more)))
        stub.on("GET", FILE, *(answers or (Answer.data(DATA),)))

    return script


@pytest.fixture(params=["bytes", "path", "file"])
def get(request, proxy, tmp_path):
    """A function that downloads into memory, a path or a file, and returns the bytes."""

    def download():
        if request.param == "bytes":
            return proxy.download_image("abc")
        if request.param == "path":
            path = tmp_path / "disk"
            assert proxy.download_image("abc", output=path) is path
            return path.read_bytes()
        file = io.BytesIO()
        assert proxy.download_image("abc", output=file) is file
        return file.getvalue()

    return download


def start_of(request):
    """Return the first byte that a request asks for."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "bytes=0-"))
    assert found
    return int(found[1])


def rest(request, cut=None):
    """Answer with the range that is asked for."""
    start = start_of(request)
    span = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
    return Answer.data(DATA[start:], 206, headers={"Content-Range": span}, cut=cut)


def files(stub):
    """Return the requests for data."""
    return [request for request in stub.requests if request.path == FILE]


# --- where it goes ----------------------------------------------------------------------------------------


def test_download(get, stub, service):
    """The data arrives, wherever it goes."""
    service()

    assert get() == DATA
    assert [request.headers["accept"] for request in files(stub)] == ["application/octet-stream"]


def test_chunked(get, service):
    """Data without a declared length arrives as well."""
    service(Answer.data(DATA, chunked=True))

    assert get() == DATA


def test_empty(get, service):
    """An empty image has no bytes."""
    service(Answer.data(b""), data=b"")

    assert get() == b""


def test_known_image_is_not_asked_for(proxy, stub, service):
    """An image that has its hash is not asked for again."""
    service()
    proxy.download_image(Image.existing(**described()))

    assert len(stub.requests) == 1


def test_image_method_and_function(conn, service):
    """The image's own method and the function do the same."""
    service()

    assert Image().download(conn.session, "abc") == DATA
    assert download_function(conn.session, "abc") == DATA


def test_text_path(proxy, service, tmp_path, home):
    """A path may be text, and begin with ~."""
    service()

    assert proxy.download_image("abc", output=str(tmp_path / "disk")) == str(tmp_path / "disk")
    assert proxy.download_image("abc", output="~/disk") == "~/disk"
    assert (home / "disk").read_bytes() == (tmp_path / "disk").read_bytes() == DATA


def test_existing_file_is_replaced(proxy, service, tmp_path):
    """A file of that name is replaced by the whole image, and nothing else is left."""
    (tmp_path / "disk").write_bytes(b"old")
    service()
    proxy.download_image("abc", output=tmp_path / "disk")

    assert (tmp_path / "disk").read_bytes() == DATA
    assert os.listdir(tmp_path) == ["disk"]


def test_no_encoding(get, stub, service):
    """The data is asked for as it is: its offsets and hash are those of the image."""
    service()
    get()

    assert stub.last.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("dangling", [False, True])
def test_link_is_written_through(dangling, proxy, service, tmp_path):
    """A symbolic link stays; the file that it leads to gets the data, and keeps its mode."""
    (tmp_path / "disks").mkdir()
    file, link = tmp_path / "disks" / "disk", tmp_path / "link"
    if not dangling:
        file.write_bytes(b"old")
        file.chmod(0o640)
    link.symlink_to("disks/disk")
    service()
    proxy.download_image("abc", output=link)

    assert link.readlink() == Path("disks/disk")
    assert file.read_bytes() == DATA
    assert dangling or file.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["disk", "disks", "link"]


def test_link_that_leads_to_itself(proxy, stub, tmp_path):
    """A link in a circle is refused before anything is sent."""
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(exceptions.InvalidRequest, match="link"):
        proxy.download_image("abc", output=tmp_path / "link")

    assert stub.requests == []


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="this system has no modes of files")
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o400])
def test_mode_is_kept(mode, proxy, service, tmp_path):
    """A file that is replaced keeps its mode, and nobody else can read the data on its way."""
    path = tmp_path / "disk"
    path.write_bytes(b"old")
    path.chmod(mode)
    seen = set()
    service()
    proxy.download_image(
        "abc",
        output=path,
        progress=lambda *_: seen.update(
            each.stat().st_mode & 0o77 for each in tmp_path.iterdir() if each.suffix == ".part"
        ),
    )

    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == mode
    assert all(bits & ~mode == 0 for bits in seen)


@pytest.mark.parametrize("connections", [None, 4])
def test_system_without_locks(connections, stub, service, tmp_path):
    """SDK and command import, and a file is downloaded, where there is no fcntl, pread, geteuid, and no such flags."""
    service()
    done = subprocess.run(
        [sys.executable, "-c", _FOREIGN_SYSTEM, stub.url, str(tmp_path / "disk"), repr(connections)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "disk").read_bytes() == DATA


#: What Windows does not have is taken away before anything of ours is imported; other libraries look for the system.
_FOREIGN_SYSTEM = """
import os, pkgutil, signal, sys
import click, keystoneauth1.session, multiprocessing.util, platformdirs
import oslo_utils.imageutils, requests, subprocess, yaml
for name in ("fcntl", "termios", "pwd", "grp", "resource", "tty", "pty"):
    sys.modules[name] = None
for name in ("pread", "pwrite", "preadv", "pwritev", "fchmod", "geteuid", "getuid", "O_CLOEXEC", "O_NOFOLLOW"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGPIPE", "SIGKILL"):
    delattr(signal, name)
import ecl
from ecl import cli
from ecl.image import v2
for package in (cli, v2):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # The service runs on Linux.
        if ".serve" not in module.name:
            __import__(module.name)
url, path, connections = sys.argv[1:]
image = ecl.connect(auth_type="none", endpoint=url).image
image.download_image("abc", output=path, connections=eval(connections))
from ecl.cli import _cache
_cache.write("tests", "key", {"a": 1})
assert _cache.read("tests", "key") == {"a": 1}
"""


def test_pipe(proxy, service):
    """A pipe gets the data in order."""
    service()
    reading, writing = os.pipe()
    got = []

    def read():
        with os.fdopen(reading, "rb") as file:
            got.append(file.read())

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(writing, "wb", buffering=0) as file:
        proxy.download_image("abc", output=file)
    reader.join()

    assert got == [DATA]


def test_named_pipe_stays(proxy, service, tmp_path):
    """A pipe or a device that is named is written to, and still there afterwards."""
    service()
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    proxy.download_image("abc", output=path)
    reader.join()

    assert got == [DATA]
    assert path.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_writer_that_takes_little(proxy, service):
    """A writer may take a part of a block at a time, or not say how much it took."""

    class Slow(io.RawIOBase):
        def __init__(self):
            self.got = bytearray()

        def writable(self):
            return True

        def write(self, block):
            self.got += bytes(block[:100_000])
            return min(len(block), 100_000)

    class Silent:
        def __init__(self):
            self.got = bytearray()

        def write(self, block):
            self.got += block

    service()
    for writer in (Slow(), Silent()):
        proxy.download_image("abc", output=writer)
        assert bytes(writer.got) == DATA


def test_progress(proxy, service, tmp_path):
    """Progress ends with everything."""
    told = []
    for output in (None, tmp_path / "disk"):
        service()
        proxy.download_image("abc", output=output, progress=lambda *numbers: told.append(numbers))
        assert told.pop() == (len(DATA), len(DATA))


# --- what cannot be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [5, object(), io.StringIO(), [], b"path"])
def test_no_output(output, proxy, stub):
    """What cannot be written to is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest):
        proxy.download_image("abc", output=output)

    assert stub.requests == []


def test_folders(proxy, stub, tmp_path):
    """A folder, and a folder that is not there, is refused by name before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest, match=f"{tmp_path} is a folder"):
        proxy.download_image("abc", output=tmp_path)
    with pytest.raises(exceptions.InvalidRequest, match=r"no-such/disk.* cannot be written: No such file"):
        proxy.download_image("abc", output=tmp_path / "no-such" / "disk")

    assert stub.requests == []
    assert os.listdir(tmp_path) == []


def test_closed_and_text_files(proxy, stub, tmp_path):
    """A closed file, and one opened as text, is refused."""
    with (tmp_path / "disk").open("wb") as file:
        pass
    with (tmp_path / "text").open("w") as text:
        for output in (file, text):
            with pytest.raises(exceptions.InvalidRequest):
                proxy.download_image("abc", output=output)

    assert stub.requests == []


def test_full_disk(proxy, service):
    """A disk that is full is a FileFailure that says so."""
    service()
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(exceptions.FileFailure, match="No space left"):
        proxy.download_image("abc", output=full)
    with pytest.raises(exceptions.FileFailure, match=r"/dev/full cannot be written: No space left.*make room"):
        proxy.download_image("abc", output="/dev/full")
    assert not os.path.exists("/dev/full.part")


def test_file_for_reading(proxy, service, tmp_path):
    """A file that is open for reading only cannot be written."""
    (tmp_path / "disk").write_bytes(b"")
    service()
    with (tmp_path / "disk").open("rb") as file, pytest.raises(exceptions.FileFailure, match="cannot be written"):
        proxy.download_image("abc", output=file)


@pytest.mark.parametrize("status", ["queued", "saving"])
def test_no_data(status, get, stub, service, tmp_path):
    """An image without data is an error that says its status, and makes no file."""
    service(Answer(204), status=status, size=None, checksum=None, os_hash_algo=None, os_hash_value=None)
    with pytest.raises(exceptions.InvalidRequest, match=f"no data to download: its status is {status}"):
        get()

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "cls"),
    [(403, exceptions.ForbiddenException), (404, exceptions.ResourceNotFound), (500, exceptions.ServerException)],
)
def test_refused(status, cls, get, service, tmp_path):
    """A refusal is raised, and makes no file."""
    service(Answer(status, b"no"))
    with pytest.raises(cls):
        get()

    assert os.listdir(tmp_path) == []


def test_missing_image(get, stub, tmp_path):
    """An image that is not there makes no file."""
    stub.on("GET", "/v2/images/abc", Answer(404))
    with pytest.raises(exceptions.ResourceNotFound, match="No Image found for abc"):
        get()

    assert os.listdir(tmp_path) == []


# --- verification -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"os_hash_algo": "sha256", "os_hash_value": hashlib.sha256(DATA).hexdigest()},
        {"os_hash_algo": None, "os_hash_value": None},
        {"os_hash_algo": "whirlpool-9", "os_hash_value": "0"},
        {"os_hash_algo": None, "os_hash_value": None, "checksum": None},
    ],
    ids=["sha256", "md5 only", "unknown", "no hash"],
)
def test_hashes_of_clouds(more, get, service):
    """Whatever hash a cloud has is compared; where it has none, the size is."""
    service(**more)

    assert get() == DATA


@pytest.mark.parametrize(
    "more",
    [
        {"os_hash_value": "0" * 128},
        {"os_hash_algo": None, "os_hash_value": None, "checksum": "0" * 32},
        {"os_hash_algo": "sha256", "os_hash_value": "0" * 64},
    ],
    ids=["sha512", "md5 only", "sha256"],
)
def test_mismatch(more, get, service, tmp_path):
    """Damaged data is a DigestMismatch, and leaves neither the file nor a part of it."""
    service(**more)
    with pytest.raises(exceptions.DigestMismatch, match="abc is damaged"):
        get()

    assert os.listdir(tmp_path) == []


def test_mismatch_keeps_the_old_file(proxy, service, tmp_path):
    """A file that was there stays as it was when the download fails."""
    (tmp_path / "disk").write_bytes(b"old")
    service(os_hash_value="0" * 128)
    with pytest.raises(exceptions.DigestMismatch):
        proxy.download_image("abc", output=tmp_path / "disk")

    assert (tmp_path / "disk").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["disk"]


# --- connections that break -------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True])
def test_resumed(chunked, get, stub, service, pauses):
    """A connection that breaks is taken up where it broke, as often as it brings something."""
    service(
        Answer.data(DATA, cut=1_000_000, chunked=chunked), lambda request: rest(request, cut=1_000_000), Answer(503),
        lambda request: rest(request, cut=10), Answer.drop(), Answer.drop(), rest,
    )  # fmt: skip

    assert get() == DATA
    starts = [start_of(request) for request in files(stub)]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] > 1_000_000


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("status", [200, 416])
def test_service_without_ranges(status, chunked, get, service, pauses):
    """A service that does not do ranges sends all of it again; what is there already is dropped."""
    whole = Answer.data(DATA, chunked=chunked)
    service(Answer.data(DATA, cut=2_000_000), *([Answer(416)] if status == 416 else []), whole)

    assert get() == DATA


def test_range_from_another_place(get, service, pauses):
    """A range that begins too early is cut to what is missing."""
    span = f"bytes 1000000-{len(DATA) - 1}/{len(DATA)}"
    service(
        Answer.data(DATA, cut=2_000_000), Answer.data(DATA[1_000_000:], 206, headers={"Content-Range": span})
    )  # fmt: skip

    assert get() == DATA


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Range": "items 1-2/3"}, {"Content-Range": f"bytes 2500000-{len(DATA) - 1}/{len(DATA)}"}]
)
def test_range_that_does_not_fit(headers, get, service, tmp_path, pauses):
    """A part that begins too late, or nobody knows where, is not taken for data; the whole is asked for instead."""
    misfit = Answer.data(DATA[2_500_000:], 206, headers=headers)
    service(Answer.data(DATA, cut=2_000_000), misfit)
    with pytest.raises(exceptions.SDKException):
        get()
    assert "disk" not in os.listdir(tmp_path)

    service(Answer.data(DATA, cut=2_000_000), misfit, Answer.data(DATA))
    assert get() == DATA


def test_broken_for_good(get, stub, service, tmp_path, pauses):
    """A connection that breaks at the same byte again and again is given up, which says where."""
    service(Answer.data(DATA, cut=2_000_000), Answer.data(b"", 206, headers={"Content-Range": "bytes 2000000-"}, cut=0))
    with pytest.raises(exceptions.ConnectFailure, match=r"broke 4 times at byte .* of image abc"):
        get()

    assert "disk" not in os.listdir(tmp_path)


def test_refused_on_the_way(get, service, tmp_path, pauses):
    """An image that is deleted while it is downloaded ends the download."""
    service(Answer.data(DATA, cut=2_000_000), Answer(404))
    with pytest.raises(exceptions.ResourceNotFound):
        get()

    assert "disk" not in os.listdir(tmp_path)


def test_broken_after_the_last_byte(get, stub, service, pauses):
    """If all bytes came before the connection broke, none is asked for again."""
    service(Answer.data(DATA, chunked=True, cut=len(DATA)))

    assert get() == DATA
    assert len(files(stub)) == 1


def test_interrupted(proxy, service, tmp_path):
    """Ctrl-C leaves nothing under the final name."""

    def interrupt(done, total):
        raise KeyboardInterrupt

    service()
    with pytest.raises(KeyboardInterrupt):
        proxy.download_image("abc", output=tmp_path / "disk", progress=interrupt)

    assert "disk" not in os.listdir(tmp_path)
