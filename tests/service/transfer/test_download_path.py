"""Downloads to a path over a network that breaks: what arrives is right, or nothing has its name."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage, check_alone, leave_part, left_threads

_MIB = 1 << 20

pytestmark = pytest.mark.usefixtures("small_parts")


# --- a connection that breaks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(cut_at=0),
        Fault(cut_at=2_000_000),
        Fault(cut_at=2_000_000, reset=True),
        Fault(cut_at=len(DATA) - 1),
        Fault(headers={"Content-Length": str(len(DATA) + 100)}, cut_at=2_000_000),
        Fault(headers={"Content-Length": "2000000"}, cut_at=2_000_000),
        Fault(headers={"Content-Length": None}, cut_at=2_000_000),
        Fault(lose_answer=True),
    ],
    ids=["at once", "dropped", "reset", "last byte", "longer", "shorter", "no length", "no answer"],
)
def test_broken_connection(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, fault: Fault) -> None:
    """A download goes on from the byte at which the connection broke."""
    link.add(fault)

    behind.download_image(shared_id, output=target)

    check_alone(target)
    again = link.data_requests[1]
    if fault.cut_at and not fault.reset:
        assert again.range == (link.data_requests[0].sent, None)
        assert again.sent == len(DATA) - link.data_requests[0].sent


def test_stalled_connection(service: object, link: FaultyProxy, shared_id: str, target: Path, token: str) -> None:
    """A connection on which nothing comes any more is given up, and the download goes on over another."""
    import ecl

    conn = ecl.connect(auth_type="admin_token", endpoint=f"{link.url}/image/jp1", token=token, timeout=0.3)
    link.add(Fault(cut_at=_MIB, stall=True))

    conn.image.download_image(shared_id, output=target)

    check_alone(target)
    assert link.data_requests[1].range is not None


def test_overloaded_service(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, pauses: list[float]
) -> None:
    """After 503 the download waits as long as the service asks, and tries again."""
    link.add(Fault(answer=503, headers={"Retry-After": "7"}))

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert 7.0 in pauses


def test_broken_connection_for_good(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, pauses: list[float]
) -> None:
    """When the connection breaks again and again, the error says so, and how to go on; then it does go on."""
    link.add(Fault(cut_at=3 * _MIB), Fault(times=None, lose_answer=True))

    with pytest.raises(exceptions.ConnectFailure) as caught:
        behind.download_image(shared_id, output=target)

    assert any("goes on from there" in note for note in caught.value.__notes__)
    assert not target.exists()
    link.heal()
    link.forget()
    behind.download_image(shared_id, output=target)
    check_alone(target)
    assert [each.range for each in link.data_requests] == [(3 * _MIB, None)]


# --- going on from what is there --------------------------------------------------------------------------


def test_resume(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """What an earlier download left is not fetched again."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    seen: list[int] = []

    behind.download_image(shared_id, output=target, progress=lambda done, total: seen.append(done))

    check_alone(target)
    assert [each.range for each in link.data_requests] == [(3 * _MIB, None)]
    assert seen[0] > 3 * _MIB


def test_resume_of_another_image(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, new_image: NewImage
) -> None:
    """A part of one image is not taken for a part of another with the same size."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    other = DATA[::-1]

    behind.download_image(new_image(other), output=target)

    check_alone(target, other)
    assert [each.range for each in link.data_requests] == [None]


@pytest.mark.parametrize("key", ["image", "size", "hash"])
def test_resume_after_a_change(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, key: str) -> None:
    """A part whose record names another image, size or hash is dropped."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    record = target.with_name("disk.raw.part.json")
    content = json.loads(record.read_text())
    content[key] = "another"
    record.write_text(json.dumps(content))

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert [each.range for each in link.data_requests] == [None]


@pytest.mark.parametrize(
    "record", ["", "{", "[]", "null", '{"done": 3}', '{"done": [[0]]}', '{"done": [[0, 1, 2]]}', "\x00"]
)
def test_resume_with_a_damaged_record(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, record: str
) -> None:
    """A record that makes no sense costs a resume, nothing else."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    target.with_name("disk.raw.part.json").write_text(record)

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert [each.range for each in link.data_requests] == [None]


def test_resume_with_a_shortened_part(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A part that somebody has cut is not gone on from."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    target.with_name("disk.raw.part").write_bytes(b"short")

    behind.download_image(shared_id, output=target)

    check_alone(target)


def test_resume_of_damaged_data(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """Where the part is found damaged at the end, all of it is fetched once more, and is right."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    with target.with_name("disk.raw.part").open("r+b") as part:
        part.seek(1000)
        part.write(b"damage")

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert [each.range for each in link.data_requests] == [(3 * _MIB, None), None]


def test_resume_of_an_image_that_is_gone(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, new_image: NewImage
) -> None:
    """Asking for an image that is not there leaves the part of the other as it is."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    missing = new_image()

    with pytest.raises(exceptions.InvalidRequest, match="no data"):
        behind.download_image(missing, output=target)
    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert link.data_requests[-1].range == (3 * _MIB, None)


def test_resume_of_a_whole_part(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A part that has every byte is checked and gets its name; nothing is fetched."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    record = target.with_name("disk.raw.part.json")
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "done": [[0, len(DATA)]]}))
    target.with_name("disk.raw.part").write_bytes(DATA)

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert link.data_requests == []


# --- damage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4])
def test_flipped_bit(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, connections: int) -> None:
    """One wrong bit is noticed; no file is left, neither whole nor in part, and an older file is untouched."""
    target.write_bytes(b"older")
    link.add(Fault(flip_at=100_000))

    with pytest.raises(exceptions.DigestMismatch):
        behind.download_image(shared_id, output=target, connections=connections)

    check_alone(target, b"older")


def test_flipped_bit_after_a_resume(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A part is fetched anew once, not for ever."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    link.add(Fault(times=None, flip_at=100_000))

    with pytest.raises(exceptions.DigestMismatch):
        behind.download_image(shared_id, output=target)

    assert len(link.data_requests) == 2
    assert list(target.parent.iterdir()) == []


# --- holes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4])
def test_holes(direct: Proxy, new_image: NewImage, target: Path, connections: int) -> None:
    """Zeros take no room on the disk."""
    data = DATA[:100_000] + bytes(6 * _MIB) + DATA[:70_000] + bytes(_MIB + 1)
    image = new_image(data)

    direct.download_image(image, output=target, connections=connections)

    check_alone(target, data)
    assert target.stat().st_blocks * 512 < _MIB


def test_all_zeros_and_nothing(direct: Proxy, new_image: NewImage, target: Path) -> None:
    """An image of zeros has its size, and so has one of no bytes."""
    zeros = new_image(bytes(3 * _MIB + 5))
    direct.download_image(zeros, output=target)
    check_alone(target, bytes(3 * _MIB + 5))

    direct.download_image(new_image(b"", allow_empty=True), output=target)
    check_alone(target, b"")


# --- two at once ------------------------------------------------------------------------------------------


def test_two_downloads_to_one_path(
    behind: Proxy, direct: Proxy, link: FaultyProxy, shared_id: str, target: Path
) -> None:
    """The second one is refused with a clear error, and does the first no harm."""
    link.add(Fault(cut_at=2 * _MIB, stall=True))
    link.rate = 50e6
    begun = threading.Event()
    failed: list[BaseException] = []

    def first() -> None:
        try:
            behind.download_image(shared_id, output=target, progress=lambda done, total: begun.set())
        except BaseException as exc:
            failed.append(exc)

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(20)
        with pytest.raises(exceptions.InvalidRequest, match="another download"):
            direct.download_image(shared_id, output=target)
    finally:
        link.release()
        thread.join()
    assert failed == []
    check_alone(target)


def test_many_downloads_to_one_path(direct: Proxy, shared_id: str, target: Path) -> None:
    """However downloads to one path meet, each is refused or whole, and what is there at the end is right."""
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(direct.download_image(shared_id, output=target))
        except BaseException as exc:
            outcomes.append(exc)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, exceptions.InvalidRequest) for each in refused), refused
    assert len(refused) < len(outcomes)
    check_alone(target)


# --- progress, and stopping by it -------------------------------------------------------------------------


def test_progress(direct: Proxy, shared_id: str, target: Path) -> None:
    """Progress never goes back, and its last word is that all is done."""
    seen: list[tuple[int, int | None]] = []

    direct.download_image(shared_id, output=target, progress=lambda *at: seen.append(at), connections=3)

    assert seen == sorted(seen)
    assert seen[-1] == (len(DATA), len(DATA))
    assert {total for _, total in seen} == {len(DATA)}


@pytest.mark.parametrize("connections", [1, 4])
def test_interrupt(
    behind: Proxy,
    link: FaultyProxy,
    shared_id: str,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    connections: int,
) -> None:
    """Ctrl-C ends a download at once, keeps what is there, and leaves no thread behind."""
    monkeypatch.setattr("ecl.image._transfer.progress.INTERVAL", 0.0)

    def stop(done: int, total: int | None) -> None:
        if done >= 2 * _MIB:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        behind.download_image(shared_id, output=target, progress=stop, connections=connections)
    had = link.fetched

    assert any("goes on from there" in note for note in caught.value.__notes__)
    assert not target.exists()
    assert left_threads() == []
    link.forget()
    behind.download_image(shared_id, output=target, connections=connections)
    check_alone(target)
    assert link.fetched <= len(DATA) - 2 * _MIB
    assert had >= 2 * _MIB
