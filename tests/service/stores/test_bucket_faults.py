"""A bad network between service and bucket: what arrives is what was sent, or the store says that it is not."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ecl.server.data.store.base import DataMissing, StoreUnavailable
from ecl.server.data.store.objects.store import ObjectStore
from ecl.testing import ImageService
from support.faulty_proxy import Fault, FaultyProxy
from support.object_stores import ObjectStorage
from support.region_service import poll, run_region

#: Three parts.
DATA = random.Random(7).randbytes(20 << 20)
SMALL = DATA[:1000]


@pytest.fixture
def link(seaweedfs: ObjectStorage) -> Iterator[FaultyProxy]:
    """The network."""
    with FaultyProxy(seaweedfs.endpoint) as proxy:
        yield proxy


@pytest.fixture
def store(seaweedfs: ObjectStorage, link: FaultyProxy) -> ObjectStore:
    """An empty store beyond the network."""
    return seaweedfs.store(endpoint=link.url)


def _put(store: ObjectStore, data: bytes) -> str:
    key = str(uuid.uuid4())
    writer = store.writer(key, len(data))
    for offset in range(0, len(data), 1 << 20):
        writer.write(data[offset : offset + (1 << 20)])
    writer.flush()
    writer.commit()
    return key


def _content(store: ObjectStore, key: str) -> bytes:
    reader = store.reader(key)
    found = b""
    while block := reader.read(len(found), 1 << 20):
        found += block
    reader.close()
    return found


ANY = Fault(path="", times=1)
UPLOAD_FAULTS = {
    "the beginning is refused": replace(ANY, method="POST", query="uploads", answer=503),
    "two parts are refused": replace(ANY, method="PUT", query="partNumber", answer=503, times=2),
    "a part is cut": replace(ANY, method="PUT", query="partNumber=2", cut_request_at=100_000),
    "the answer to a part is lost": replace(ANY, method="PUT", query="partNumber=1", lose_answer=True),
    "the end is refused": replace(ANY, method="POST", query="uploadId", answer=503),
    "the answer to the end is lost": replace(ANY, method="POST", query="uploadId", lose_answer=True),
    "it is not there at once": replace(ANY, method="HEAD", answer=404, times=2),
}


@pytest.mark.parametrize("fault", UPLOAD_FAULTS.values(), ids=UPLOAD_FAULTS)
def test_faults_of_a_large_upload(store: ObjectStore, link: FaultyProxy, fault: Fault) -> None:
    """An upload of several parts ends well, and nothing is left beside it."""
    link.add(fault)
    key = _put(store, DATA)

    assert _content(store, key) == DATA
    assert link.pending == []
    assert [(each.key, each.size) for each in store.entries()] == [(key, len(DATA))]


def test_an_end_that_is_unknown_the_second_time(store: ObjectStore, link: FaultyProxy) -> None:
    """If the answer to the end of an upload is lost and the second attempt gets a 404, the object counts."""
    end = replace(ANY, method="POST", query="uploadId")
    link.add(replace(end, lose_answer=True), replace(end, answer=404))

    assert _content(store, _put(store, DATA)) == DATA
    assert link.pending == []


def test_an_end_that_is_refused_for_good(store: ObjectStore, link: FaultyProxy) -> None:
    """Without the object the upload has failed, and its parts go."""
    link.add(replace(ANY, method="POST", query="uploadId", answer=404, times=None))
    with pytest.raises(StoreUnavailable):
        _put(store, DATA)
    assert list(store.entries()) == []


@pytest.mark.parametrize(
    "fault",
    [
        replace(ANY, method="PUT", answer=503, times=2),
        replace(ANY, method="PUT", cut_request_at=10),
        replace(ANY, method="PUT", lose_answer=True),
        replace(ANY, method="HEAD", answer=404),
    ],
    ids=["it is refused", "it is cut", "the answer is lost", "it is not there at once"],
)
def test_faults_of_a_small_upload(store: ObjectStore, link: FaultyProxy, fault: Fault) -> None:
    """An upload of one request ends well, too."""
    link.add(fault)

    assert _content(store, _put(store, SMALL)) == SMALL
    assert link.pending == []


DOWNLOAD_FAULTS = {
    "the first range is cut": replace(ANY, first=0, cut_at=1000),
    "ranges are cut": replace(ANY, cut_at=50_000, times=3),
    "ranges are reset": replace(ANY, cut_at=50_000, reset=True, times=3),
    "ranges are refused": replace(ANY, answer=503, times=3),
    "another range comes": replace(ANY, first=128 << 10, other_range=(0, (256 << 10) - 1)),
    "everything comes": replace(ANY, first=128 << 10, drop_range=True),
    "it is not there at once": replace(ANY, method="HEAD", answer=404, times=2),
}


@pytest.mark.parametrize("fault", DOWNLOAD_FAULTS.values(), ids=DOWNLOAD_FAULTS)
def test_faults_of_a_download(store: ObjectStore, link: FaultyProxy, fault: Fault) -> None:
    """A download has all bytes in their order, whatever happens to one range or some."""
    key = _put(store, DATA)
    link.add(fault)

    assert _content(store, key) == DATA
    assert link.pending == []


def test_slow_parts(seaweedfs: ObjectStorage) -> None:
    """A link that carries little only takes longer; parts are sent side by side, at most four at a time."""
    with FaultyProxy(seaweedfs.endpoint, rate=8 << 20) as link:
        store = seaweedfs.store(endpoint=link.url)
        assert _content(store, _put(store, DATA * 3)) == DATA * 3
        parts = [each for each in link.requests if "partNumber" in each.query]
        assert (len(parts), len({each.query for each in parts})) == (8, 8)
        assert link.most_at_once >= 2


def test_a_download_reads_ahead(store: ObjectStore, link: FaultyProxy) -> None:
    """A large download asks for several ranges at a time, and for each byte once."""
    key = _put(store, DATA)
    link.forget()
    assert _content(store, key) == DATA

    ranges = sorted(each.range for each in link.requests if each.range is not None)
    assert [first for first, _ in ranges[1:]] == [last + 1 for _, last in ranges[:-1]]
    assert (ranges[0][0], ranges[-1][1]) == (0, len(DATA) - 1)
    assert max(last + 1 - first for first, last in ranges) == 2 << 20


def test_a_part_of_an_image_costs_no_more(store: ObjectStore, link: FaultyProxy) -> None:
    """Of an image of which a part is wanted, no more is fetched than that part, and what a small range has."""
    key = _put(store, DATA)
    link.forget()
    reader = store.reader(key)
    reader.expect(5 << 20)
    for offset in range(1 << 20, 5 << 20, 1 << 20):
        assert reader.read(offset, 1 << 20) == DATA[offset : offset + (1 << 20)]
    reader.close()
    link.until(lambda: sum(each.sent for each in link.requests) == 4 << 20)
    assert max(each.range[1] for each in link.requests if each.range is not None) == (5 << 20) - 1


def test_a_bucket_that_is_down(store: ObjectStore, link: FaultyProxy) -> None:
    """After some attempts an upload, a download and a delete fail; an upload that is given up is silent."""
    key = _put(store, SMALL)
    reader = store.reader(key)
    link.add(replace(ANY, method="PUT", answer=503, times=None), replace(ANY, answer=503, times=None))
    writer = store.writer(str(uuid.uuid4()))
    writer.write(SMALL)
    with pytest.raises(StoreUnavailable, match="the service answers PUT with 503"):
        writer.commit()
    writer.abort()
    with pytest.raises(StoreUnavailable, match="the service answers GET with 503"):
        reader.read(0, 10)


def test_data_that_is_gone_is_not_unavailable(store: ObjectStore, link: FaultyProxy) -> None:
    """A delete during a download is told apart from a failure of the storage, at once."""
    key = _put(store, SMALL)
    reader = store.reader(key)
    store.delete(key)
    link.forget()
    with pytest.raises(DataMissing):
        reader.read(0, 10)
    assert len(link.requests) == 1


def test_unfinished_uploads_that_cannot_be_listed(
    store: ObjectStore, link: FaultyProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is raised, and the delete tried again; without the right they are left to the bucket, and logged."""
    key = _put(store, SMALL)
    listing = replace(ANY, query="uploads")
    link.add(replace(listing, answer=503), replace(listing, answer=403, times=None))
    with pytest.raises(StoreUnavailable):
        store.delete(key)
    for _ in range(2):
        store.delete(key)

    assert list(store.entries()) == []
    (warning,) = caplog.messages
    assert "a lifecycle rule of the bucket has to remove them" in warning


def test_a_service_outlives_its_bucket(tmp_path: Path, seaweedfs: ObjectStorage, link: FaultyProxy) -> None:
    """While the bucket is down an upload gets 503 and the image is queued again; then the same upload ends well."""
    with run_region(tmp_path, store=seaweedfs.store(endpoint=link.url)) as region:
        client = region.client()
        image = client.create(disk_format="raw", container_format="bare")
        link.add(replace(ANY, method="PUT", answer=503, times=None))
        assert client.upload(image["id"], SMALL).status_code == 503
        poll(lambda: client.show(image["id"])["status"] == "queued")

        link.heal()
        assert client.upload(image["id"], SMALL).status_code == 204
        assert client.get(image["file"]).content == SMALL
        assert len(list(region.region.store.entries())) == 1


def test_memory_of_an_upload(seaweedfs: ObjectStorage, tmp_path: Path) -> None:
    """A large upload over a slow link takes at most 64 MiB more than the service has when it is idle."""
    with FaultyProxy(seaweedfs.endpoint, rate=16 << 20) as link:
        region = {"name": "jp1", "stores": [{**seaweedfs.default_store(tmp_path, "jp1"), "endpoint": link.url}]}
        with ImageService((region,)) as service:
            images = service.connect().image
            images.create_image(name="warm", data=SMALL, disk_format="raw")
            status = Path(f"/proc/{service.pid}/status")
            (tmp_path / "data").write_bytes(DATA * 8)
            idle = _kib(status, "VmRSS")
            Path(f"/proc/{service.pid}/clear_refs").write_text("5")
            image = images.create_image(name="large", filename=str(tmp_path / "data"), disk_format="raw")
            assert image.status == "active"
            assert _kib(status, "VmHWM") - idle <= 64 << 10


def _kib(status: Path, name: str) -> int:
    (line,) = [line for line in status.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1])
