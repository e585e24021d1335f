"""Image bytes in and out by the SDK, against the embedded service and a real Glance alike."""

from __future__ import annotations

import hashlib
import io
import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clouds import Cloud, NewImage

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from support.images import REAL_IMAGES, RealImage

#: More than one block of any of the buffers on the way, and no multiple of them.
DATA = random.Random(2).randbytes(3_000_001)
RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture
def queued(new_image: NewImage) -> Image:
    """A raw image that waits for its bytes."""
    return new_image(name=f"data {uuid.uuid4()}", **RAW)


@pytest.fixture
def active(proxy: Proxy, queued: Image) -> Image:
    """A raw image with `DATA`."""
    proxy.upload_image(queued.id, DATA)
    return proxy.get_image(queued.id)


# --- upload -------------------------------------------------------------------------------------------------


def _as_bytes(folder: Path) -> object:
    return DATA


def _as_path(folder: Path) -> object:
    path = folder / "disk image.raw"
    path.write_bytes(DATA)
    return path


def _as_file(folder: Path) -> object:
    return io.BytesIO(DATA)


def _as_iterator(folder: Path) -> object:
    def blocks() -> Iterator[bytes]:
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    return blocks()


@pytest.mark.parametrize("source", [_as_bytes, _as_path, _as_file, _as_iterator])
def test_upload_image(proxy: Proxy, queued: Image, tmp_path: Path, source: Callable[[Path], object]) -> None:
    """upload_image() takes bytes, a path, an open file or an iterator; the image is active then."""
    proxy.upload_image(queued.id, source(tmp_path))

    image = proxy.get_image(queued.id)
    assert (image.image_status, image.size) == ("active", len(DATA))
    assert image.checksum == hashlib.md5(DATA).hexdigest()
    assert image["os_hash_algo"] == "sha512"
    assert image["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    assert proxy.download_image(queued.id) == DATA


def test_upload_image_from_the_middle_of_a_file(proxy: Proxy, queued: Image) -> None:
    """A file is read from where it stands, and not closed."""
    file = io.BytesIO(b"skip" + DATA)
    file.seek(4)

    proxy.upload_image(queued, file)

    assert not file.closed
    assert proxy.download_image(queued) == DATA


def test_upload_image_empty(proxy: Proxy, queued: Image) -> None:
    """No bytes are an image too, if that is meant."""
    proxy.upload_image(queued.id, b"", allow_empty=True)

    image = proxy.get_image(queued.id)
    assert (image.image_status, image.size) == ("active", 0)
    assert proxy.download_image(queued.id) == b""


def test_upload_image_twice(proxy: Proxy, active: Image) -> None:
    """The bytes of an image are for good."""
    with pytest.raises(exceptions.ConflictException):
        proxy.upload_image(active.id, b"other")

    assert proxy.download_image(active.id) == DATA


def test_upload_image_missing(proxy: Proxy) -> None:
    """Uploading to a missing image is ResourceNotFound."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.upload_image(str(uuid.uuid4()), DATA)


def test_upload_image_without_formats(proxy: Proxy, new_image: NewImage) -> None:
    """An image needs its formats before its bytes; it stays queued and can be mended."""
    image = new_image()

    with pytest.raises(exceptions.BadRequestException):
        proxy.upload_image(image.id, DATA)

    assert proxy.get_image(image.id).image_status == "queued"
    proxy.update_image(image.id, RAW)
    proxy.upload_image(image.id, DATA)
    assert proxy.get_image(image.id).image_status == "active"


# --- download -----------------------------------------------------------------------------------------------


def test_download_image_to_a_path(proxy: Proxy, active: Image, tmp_path: Path) -> None:
    """With output= a path, the bytes are in that file alone, and the path is returned."""
    target = tmp_path / "out.raw"

    assert proxy.download_image(active, output=target) == target

    assert target.read_bytes() == DATA
    assert list(tmp_path.iterdir()) == [target]


def test_download_image_over_a_file(proxy: Proxy, active: Image, tmp_path: Path) -> None:
    """A file that is there already is replaced as a whole."""
    target = tmp_path / "out.raw"
    target.write_bytes(b"old" * 2_000_000)

    proxy.download_image(active.id, output=str(target))

    assert target.read_bytes() == DATA


def test_download_image_to_a_file(proxy: Proxy, active: Image) -> None:
    """With output= a writable file, the bytes go there, and the file is returned open."""
    file = io.BytesIO()

    assert proxy.download_image(active.id, output=file) is file

    assert file.getvalue() == DATA


def test_download_image_missing(proxy: Proxy, tmp_path: Path) -> None:
    """Downloading a missing image is ResourceNotFound, and makes no file."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.download_image(str(uuid.uuid4()))
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.download_image(str(uuid.uuid4()), output=tmp_path / "out.raw")

    assert list(tmp_path.iterdir()) == []


def test_download_image_into_a_missing_folder(proxy: Proxy, active: Image, tmp_path: Path) -> None:
    """A folder that does not exist is named in the error, and is not made."""
    with pytest.raises(exceptions.SDKException, match="absent"):
        proxy.download_image(active.id, output=tmp_path / "absent" / "out.raw")

    assert list(tmp_path.iterdir()) == []


# --- create with data ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL_IMAGES)
def test_create_image_with_data(
    proxy: Proxy, new_image: NewImage, real_image: Callable[[str], RealImage], name: str, tmp_path: Path
) -> None:
    """A real disk image goes up from its path, its format is detected, and it comes down the same."""
    real = real_image(name)

    image = new_image(name=f"{name} {uuid.uuid4()}", data=real.path)

    assert (image.image_status, image.size) == ("active", real.size)
    assert (image.disk_format, image.container_format) == (real.disk_format, "bare")
    assert image["virtual_size"] == real.virtual_size
    assert image.checksum == real.digest("md5")
    assert image["os_hash_value"] == real.digest(image["os_hash_algo"])
    proxy.download_image(image, output=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == real.path.read_bytes()


@pytest.mark.parametrize("source", [_as_bytes, _as_path, _as_file])
def test_create_image_with_data_of_each_kind(
    proxy: Proxy, new_image: NewImage, tmp_path: Path, source: Callable[[Path], object]
) -> None:
    """Data may be bytes, a path or an open file."""
    image = new_image(name=f"created {uuid.uuid4()}", data=source(tmp_path), os_distro="debian")

    assert (image.image_status, image.size, image.disk_format) == ("active", len(DATA), "raw")
    assert image["os_distro"] == "debian"
    assert proxy.download_image(image.id) == DATA


def test_create_image_with_data_and_a_format(
    proxy: Proxy, new_image: NewImage, real_image: Callable[[str], RealImage]
) -> None:
    """A format that is given is not detected: any file may be raw."""
    real = real_image("qcow2")

    image = new_image(data=real.path, disk_format="raw")

    assert (image.disk_format, image.size) == ("raw", real.size)


@pytest.mark.parametrize(("real", "declared"), [("iso", "qcow2"), ("vmdk", "vdi"), ("raw", "qcow2")])
def test_create_image_with_data_of_another_format(
    proxy: Proxy, real_image: Callable[[str], RealImage], real: str, declared: str
) -> None:
    """A file that is not what its image says is refused before anything is made, naming both formats."""
    name = f"another {uuid.uuid4()}"

    with pytest.raises(exceptions.InvalidRequest, match=rf"{real}.*{declared}"):
        proxy.create_image(name=name, data=real_image(real).path, disk_format=declared)

    assert list(proxy.images(name=name)) == []


@pytest.mark.parametrize(
    ("real", "declared"), [("iso", "raw"), ("iso", "qcow2"), ("vmdk", "vdi"), ("raw", "qcow2"), ("backed", "qcow2")]
)
def test_create_image_with_refused_data(
    proxy: Proxy, real_image: Callable[[str], RealImage], real: str, declared: str
) -> None:
    """When the cloud refuses bytes that were forced on it, the image that was made for them is gone again."""
    name = f"refused {uuid.uuid4()}"

    with pytest.raises(exceptions.UnsupportedMediaException):
        proxy.create_image(name=name, data=real_image(real).path, disk_format=declared, force=True)

    assert list(proxy.images(name=name)) == []


def test_upload_image_refused(proxy: Proxy, new_image: NewImage, real_image: Callable[[str], RealImage]) -> None:
    """Bytes that the cloud refuses leave the image queued and without any; it can be deleted."""
    image = new_image(disk_format="qcow2", container_format="bare")

    with pytest.raises(exceptions.InvalidRequest, match="qcow2"):
        proxy.upload_image(image.id, DATA)
    with pytest.raises(exceptions.UnsupportedMediaException):
        proxy.upload_image(image.id, DATA, force=True)

    seen = proxy.get_image(image.id)
    assert (seen.image_status, seen.size) == ("queued", None)
    proxy.delete_image(image.id, ignore_missing=False)


def test_create_image_with_failing_data(proxy: Proxy) -> None:
    """When the source of the bytes fails, that error comes through, and the image is gone again."""
    name = f"broken {uuid.uuid4()}"

    class BrokenFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 2_000_000:
                raise OSError("the disk is on fire")
            return super().read(size)

    with pytest.raises((OSError, exceptions.SDKException), match="on fire"):
        proxy.create_image(name=name, data=BrokenFile(DATA), **RAW)

    assert list(proxy.images(name=name)) == []


def test_create_image_with_a_missing_file(proxy: Proxy, tmp_path: Path) -> None:
    """A missing file is named in the error before anything is made."""
    name = f"absent {uuid.uuid4()}"

    with pytest.raises((FileNotFoundError, exceptions.SDKException), match=r"absent\.raw"):
        proxy.create_image(name=name, data=tmp_path / "absent.raw")

    assert list(proxy.images(name=name)) == []


def test_create_image_with_a_backing_file(proxy: Proxy, real_image: Callable[[str], RealImage]) -> None:
    """A disk image that needs another file is refused before anything is sent, with the reason."""
    name = f"backed {uuid.uuid4()}"

    with pytest.raises(exceptions.SDKException, match="backing file"):
        proxy.create_image(name=name, data=real_image("backed").path)

    assert list(proxy.images(name=name)) == []


# --- who may have the bytes ---------------------------------------------------------------------------------


def test_data_as_reader(cloud: Cloud, proxy: Proxy, active: Image) -> None:
    """A reader sees the image but gets no bytes."""
    reader = cloud.connect("reader")

    with pytest.raises(exceptions.ForbiddenException):
        reader.download_image(active.id)


# --- read as one goes ---------------------------------------------------------------------------------------


def test_stream(proxy: Proxy, active: Image) -> None:
    """An image comes as a stream of chunks, whose headers say its size and md5."""
    with proxy.download_image(active, stream=True, chunk_size=65_536) as stream:
        chunks = list(stream)

    assert b"".join(chunks) == DATA
    assert {len(chunk) for chunk in chunks[:-1]} == {65_536}
    assert stream.headers["Content-MD5"] == active.checksum
    assert stream.headers["Content-Length"] == str(len(DATA))


def test_open(proxy: Proxy, active: Image) -> None:
    """An image is a file that reads at any offset, and as a whole."""
    with proxy.open_image(active) as file:
        file.seek(-1000, io.SEEK_END)
        assert file.read() == DATA[-1000:]
        file.seek(1_500_000)
        assert file.read(10) == DATA[1_500_000:1_500_010]
        file.seek(0)
        assert file.read() == DATA


def test_openstacksdk_words(proxy: Proxy, tmp_path: Path) -> None:
    """What openstacksdk's users write makes an image, finds it hidden, changes it and shares it."""
    path = tmp_path / "disk.raw"
    path.write_bytes(DATA)
    name = f"words {uuid.uuid4()}"
    image = proxy.create_image(name=name, filename=path, wait=True, is_protected=True, is_hidden=True, **RAW)
    try:
        assert (image.status, image.is_protected, image.is_hidden, image.size) == ("active", True, True, len(DATA))
        assert image.hash_value == hashlib.new(image.hash_algo or "", DATA).hexdigest()
        assert proxy.find_image(name, False).id == image.id
        assert proxy.update_image(image, is_hidden=False, os_distro="debian").get("os_distro") == "debian"
        member = proxy.add_member(image, member_id=str(uuid.uuid4()))
        proxy.remove_member(member, image, ignore_missing=False)
        assert list(proxy.members(image)) == []
    finally:
        proxy.update_image(image, is_protected=False)
        proxy.delete_image(image)
