"""Downloads over several connections, of which one falls silent while another one ends the download."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support.faulty_proxy import Fault, FaultyProxy
from support.http_stub import make_certificate
from support.transfers import DATA, check_alone, left_threads

_MIB = 1 << 20
#: So few bytes that all of them have arrived when the other side has sent them.
_SOME = 30_000

pytestmark = pytest.mark.usefixtures("small_parts")

#: Either of the first two ranges is silent, and the other one ends the download.
EITHER = pytest.mark.parametrize(("silent", "ending"), [(0, _MIB), (_MIB, 0)])


def error_of(proxy: Proxy, image: str, target: Path, **options: Any) -> BaseException | None:
    """Download, and return what that raises. Fails where it waits for a silent connection."""
    ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            proxy.download_image(image, output=target, **options)
        except BaseException as exc:
            ends.put(exc)
        else:
            ends.put(None)

    threading.Thread(target=run, daemon=True).start()
    return ends.get(timeout=20)


@EITHER
def test_silent_in_the_middle(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, silent: int, ending: int
) -> None:
    """An image that is gone ends the download, and every thread, while another connection is silent."""
    link.add(Fault(first=silent, cut_at=300_000, stall=True), Fault(first=ending, after_silent=1, answer=404))

    error = error_of(behind, shared_id, target, connections=2)

    assert isinstance(error, exceptions.NotFoundException)
    assert left_threads() == []
    assert len(link.data_requests) == 2


def check_goes_on(proxy: Proxy, link: FaultyProxy, image: str, target: Path, silent: int, ending: int) -> None:
    """What a connection brought before it fell silent is kept, every thread ends, and the next download goes on."""
    link.add(Fault(first=silent, cut_at=_SOME, stall=True), Fault(first=ending, after_silent=1, answer=403))
    error = error_of(proxy, image, target, connections=2)
    assert isinstance(error, exceptions.ForbiddenException)
    assert any(f"{_SOME} bytes are in" in note for note in error.__notes__)
    assert left_threads() == []
    link.forget()

    proxy.download_image(image, output=target, connections=2)

    check_alone(target)
    assert link.fetched == len(DATA) - _SOME


@EITHER
def test_bytes_before_the_silence(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, silent: int, ending: int
) -> None:
    """What a connection brought before it fell silent is not fetched again."""
    check_goes_on(behind, link, shared_id, target, silent, ending)


def test_silent_by_https(
    service: ImageService, shared_id: str, target: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By https as well, what a silent connection brought is kept, and every thread ends."""
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    with FaultyProxy(service.url, certificate=certificate) as link:
        endpoint = f"{link.url}/image/jp1"
        behind = service.connect(endpoint_overrides={"image": endpoint}, verify=str(certificate[0])).image

        check_goes_on(behind, link, shared_id, target, 0, _MIB)


@EITHER
def test_silent_before_the_answer(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, silent: int, ending: int
) -> None:
    """An image that is gone ends the download while another request of it is not answered."""
    link.add(Fault(first=silent, unanswered=True), Fault(first=ending, after_silent=1, answer=404))

    error = error_of(behind, shared_id, target, connections=2)

    assert isinstance(error, exceptions.NotFoundException)
    link.release()
    assert left_threads() == []


@pytest.mark.parametrize("trouble", [{"answer": 503}, {"cut_at": _SOME}], ids=["503", "broken"])
@EITHER
def test_pause_before_another_attempt(
    behind: Proxy,
    link: FaultyProxy,
    shared_id: str,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    silent: int,
    ending: int,
    trouble: dict[str, Any],
) -> None:
    """An image that is gone ends the pause of another connection before its next attempt, and that attempt."""
    paused = threading.Event()

    def pause(seconds: float, over: threading.Event | None) -> None:
        assert over is not None
        paused.set()
        over.wait()

    monkeypatch.setattr("ecl._http.retry._sleep", pause)
    link.add(Fault(first=silent, **trouble), Fault(first=ending, after=paused, answer=404))

    error = error_of(behind, shared_id, target, connections=2)

    assert isinstance(error, exceptions.NotFoundException)
    assert left_threads() == []
    assert len(link.data_requests) == 2


def test_callback_that_raises(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the progress callback raises ends the download, and every thread, while other connections are silent."""
    monkeypatch.setattr("ecl.image._transfer.progress.INTERVAL", 0.0)
    link.add(Fault(times=3, cut_at=300_000, stall=True), Fault(after_silent=3))

    def stop(done: int, total: int | None) -> None:
        raise LookupError("enough")

    error = error_of(behind, shared_id, target, progress=stop, connections=4)

    assert isinstance(error, LookupError)
    assert left_threads() == []


def test_silent_when_ranges_are_refused(behind: Proxy, link: FaultyProxy, shared_id: str, target: Path) -> None:
    """A service that refuses a range is asked for everything while another range is silent."""
    link.add(
        Fault(first=0, ranged=True, cut_at=300_000, stall=True),
        Fault(first=_MIB, after_silent=1, answer=416),
        Fault(times=None, ranged=True, answer=416),
    )

    assert error_of(behind, shared_id, target, connections=2) is None

    check_alone(target)
    assert left_threads() == []


def test_silent_question_for_ranges(
    behind: Proxy, link: FaultyProxy, shared_id: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow download goes on while the service thinks about whether it sends ranges."""
    monkeypatch.setattr("ecl.image._transfer.fetch.SAMPLE", 0.0)
    monkeypatch.setattr("ecl.image._transfer.fetch.FAST", 1e15)
    monkeypatch.setattr("ecl.image._transfer.fetch.PART", 256 << 10)
    link.add(Fault(ranged=True, unanswered=True))

    assert error_of(behind, shared_id, target) is None

    check_alone(target)
    link.release()
    assert left_threads() == []
