"""Downloads by ranges: services that do them, do them badly, or not at all; one connection and several."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecl import exceptions
from ecl.image._transfer.fetch import _JOIN_TIMEOUT_SECONDS
from ecl.image.v2._proxy import Proxy
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, check_alone, leave_part, left_threads

_MIB = 1 << 20

pytestmark = pytest.mark.usefixtures("small_parts")


# --- services and their ranges ----------------------------------------------------------------------------

NO_RANGES = {
    "200": Fault(times=None, ranged=True, drop_range=True),
    "400": Fault(times=None, ranged=True, answer=400),
    "416": Fault(times=None, ranged=True, answer=416),
    "501": Fault(times=None, ranged=True, answer=501),
    "206 of all": Fault(
        times=None,
        ranged=True,
        drop_range=True,
        status=206,
        headers={"Content-Range": f"bytes 0-{len(DATA) - 1}/{len(DATA)}"},
    ),
    "206 of all, silent": Fault(times=None, ranged=True, drop_range=True, status=206),
    "another range": Fault(times=None, ranged=True, other_range=(4 * _MIB, 5 * _MIB - 1)),
    "an earlier range": Fault(times=None, ranged=True, other_range=(100, len(DATA) - 1)),
}


@pytest.mark.parametrize("fault", NO_RANGES.values(), ids=NO_RANGES)
def test_resume_without_ranges(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, fault: Fault) -> None:
    """A service that does not send the range it is asked for is asked for everything; the file is right."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    link.add(fault)

    behind.download_image(shared_id, output=target)

    check_alone(target)


@pytest.mark.parametrize("fault", NO_RANGES.values(), ids=NO_RANGES)
def test_connections_without_ranges(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, fault: Fault
) -> None:
    """Where ranges do not work, several connections become one, and the image comes about once."""
    link.add(fault)

    behind.download_image(shared_id, output=target, connections=4)

    check_alone(target)
    assert [each.range for each in link.data_requests].count(None) <= 1


def test_lying_range(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A 206 that says it is the wanted range, and is the whole image, is seen for what it is."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    says = f"bytes {3 * _MIB}-{len(DATA) - 1}/{len(DATA)}"
    link.add(Fault(ranged=True, drop_range=True, status=206, headers={"Content-Range": says}))

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert link.fetched <= len(DATA)


def test_shorter_range(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A 206 with less than was asked for is followed by a request for the rest."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    link.add(Fault(ranged=True, other_range=(3 * _MIB, 4 * _MIB - 1)))

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert [each.range for each in link.data_requests] == [(3 * _MIB, None), (4 * _MIB, None)]


def test_hash_of_the_whole_on_a_part(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """Content-MD5 of a 206 may be that of the whole image, as Glance's is, or nonsense."""
    leave_part(behind, link, shared_id, target, 3 * _MIB)
    link.add(Fault(headers={"Content-MD5": "0" * 32}))

    behind.download_image(shared_id, output=target)

    check_alone(target)


# --- several connections ----------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 2, 4, 16])
def test_connections(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, connections: int) -> None:
    """Ranges that are fetched side by side make the same file; no byte comes twice."""
    behind.download_image(shared_id, output=target, connections=connections)

    check_alone(target)
    assert link.fetched == len(DATA)
    starts = sorted(each.range[0] for each in link.data_requests if each.range)
    assert starts == ([0, _MIB, 2 * _MIB, 3 * _MIB, 4 * _MIB, 5 * _MIB] if connections > 1 else [])


@pytest.mark.parametrize("connections", [0, 17, -1, True, 1.5, "4"])
def test_connections_out_of_bounds(behind: Proxy, link: FaultyProxy, target: Path, connections: object) -> None:
    """Anything but 1 to 16 connections is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest, match="connections"):
        behind.download_image("some-id", output=target, connections=connections)  # type: ignore[call-overload]

    assert link.requests == []


def test_each_range_is_retried_alone(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, pauses: list[float]
) -> None:
    """When single ranges break, only what is missing of these is asked for again."""
    link.add(
        Fault(first=_MIB, cut_at=300_000),
        Fault(first=3 * _MIB, lose_answer=True),
        Fault(first=4 * _MIB, answer=503),
    )

    behind.download_image(shared_id, output=target, connections=3)

    check_alone(target)
    ranges = [each.range for each in link.data_requests]
    assert (_MIB + 300_000, 2 * _MIB - 1) in ranges
    assert [ranges.count((at * _MIB, (at + 1) * _MIB - 1)) for at in range(5)] == [1, 1, 1, 2, 2]
    assert link.fetched == len(DATA)


def test_one_range_fails_for_good(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, pauses: list[float]
) -> None:
    """When one range cannot be had, the rest is kept, and fetched no second time."""
    link.add(Fault(first=2 * _MIB, times=None, answer=403))

    with pytest.raises(exceptions.ForbiddenException):
        behind.download_image(shared_id, output=target, connections=2)
    had = link.fetched
    link.heal()
    link.forget()
    behind.download_image(shared_id, output=target, connections=2)

    check_alone(target)
    assert had > 0
    # A range that was on its way when the error came may be lost.
    assert len(DATA) - had <= link.fetched <= len(DATA) - had + 2 * _MIB


def test_patience_is_shared(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error the connections get a certain time together to end, not each."""
    monkeypatch.setattr("ecl.image._transfer.fetch.PART", 2 * _MIB)
    monkeypatch.setattr("ecl.image._transfer.progress.INTERVAL", 0.0)
    link.add(Fault(times=None, cut_at=_MIB, stall=True))
    granted: list[float | None] = []
    join = threading.Thread.join

    def watched(self: threading.Thread, timeout: float | None = None) -> None:
        if not self.name.startswith("download-"):
            join(self, timeout)
        else:
            # Nobody has ended when the time is over, by the clock below.
            granted.append(timeout)

    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", watched)
        clock = SimpleNamespace(monotonic=lambda: float(sum(each or 0 for each in granted)))
        patch.setattr("ecl.image._transfer.fetch.time", clock)
        with pytest.raises(KeyboardInterrupt):
            behind.download_image(shared_id, output=target, progress=stop, connections=3)

    assert granted == [_JOIN_TIMEOUT_SECONDS, 0.0, 0.0]
    assert left_threads() == []


def test_slow_link_gets_more_connections(
    service: object, behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download that turns out to be slow goes on over four connections; no byte is written twice."""
    monkeypatch.setattr("ecl.image._transfer.fetch.SAMPLE", 0.001)
    monkeypatch.setattr("ecl.image._transfer.fetch.PART", 256 << 10)
    monkeypatch.setattr("ecl.image._transfer.progress.INTERVAL", 0.0)
    link.rate = 5e6

    def wait_for_answer(done: int, total: int | None) -> None:
        for thread in threading.enumerate():
            if thread.name == "download-probe":
                thread.join()

    behind.download_image(shared_id, output=target, progress=wait_for_answer)

    check_alone(target)
    assert link.most_at_once >= 3
    assert len(link.data_requests) > 8


def test_fast_link_has_one_connection(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """Where one connection is fast enough, there is one request."""
    behind.download_image(shared_id, output=target)

    assert [each.range for each in link.data_requests] == [None]


@pytest.mark.parametrize("name", ["200", "400", "206 of all, silent"])
def test_slow_link_without_ranges(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A slow service that does not send ranges is left alone with one connection."""
    monkeypatch.setattr("ecl.image._transfer.fetch.SAMPLE", 0.001)
    monkeypatch.setattr("ecl.image._transfer.fetch.FAST", 1e15)
    monkeypatch.setattr("ecl.image._transfer.fetch.PART", 256 << 10)
    link.add(NO_RANGES[name])

    behind.download_image(shared_id, output=target)

    check_alone(target)
    assert [each.range for each in link.data_requests].count(None) == 1
