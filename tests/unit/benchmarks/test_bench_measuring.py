"""The measuring code of the benchmarks: what it makes of numbers, and how slow its slow link is."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from benchmarks.figure import Figure, compare
from benchmarks.measure import Failed, Sample, Spread, alternate, command, ratios
from benchmarks.plan import parse_size
from benchmarks.slow_link import SlowLink

_MIB = 1 << 20


def test_ratio_is_taken_run_by_run():
    """A slow spell of the machine is in both values of a run, and so goes out of the ratio."""
    assert ratios([2.0, 20.0, 4.0], [1.0, 10.0, 1.0]) == [2.0, 2.0, 4.0]
    assert Spread.of([4.0, 2.0, 2.0]) == Spread(2.0, 2.0, 4.0)


def test_ratio_says_how_many_times_faster_we_are():
    """With "at least" the peer's time is divided by ours, and the goal is reached from below."""
    samples = {"ours": [Sample(1.0), Sample(2.0)], "theirs": [Sample(4.0), Sample(8.0)]}
    figure = compare("k", "t", samples, "ours", "theirs", goal=4, at_most=False)

    assert list(figure.ratio) == [4.0, 4.0]
    assert figure.reached is True
    assert compare("k", "t", samples, "ours", "theirs", goal=0.2).reached is False
    assert Figure("k", "t").reached is None


def test_contenders_take_turns():
    """Each round has every contender once, every other round backwards, and the first round does not count."""
    calls: list[str] = []

    def run(name: str) -> Sample:
        calls.append(name)
        return Sample(len(calls))

    taken = alternate({"a": lambda: run("a"), "b": lambda: run("b")}, 2)

    assert "".join(calls) == "baabba"
    assert [sample.seconds for sample in taken["a"]] == [3.0, 6.0]


def test_memory_and_time_are_those_of_the_command():
    """Peak memory and processor time are the command's own, not this process's."""
    code = (
        "import time; data = b'x' * (64 << 20); begin = time.process_time()\nwhile time.process_time() < begin + .1: 0"
    )
    sample = command([sys.executable, "-c", code])

    assert 64 * _MIB < sample.peak < 96 * _MIB
    assert 0.1 <= sample.cpu < 30
    assert sample.seconds == sample.process_seconds >= 0.1


def test_a_command_that_fails_is_no_sample():
    """Nobody is measured for work not done."""
    with pytest.raises(Failed, match="no such luck"):
        command([sys.executable, "-c", "import sys; sys.exit('no such luck')"])


def test_sizes():
    """A size has a unit, and room for the data set of many files."""
    assert parse_size("64M") == 64 * _MIB
    assert parse_size("8G") == 8 << 30
    for text in ("", "1", "1T", "0G", "63M", "-1G"):
        with pytest.raises(ValueError, match=r"64M|no size"):
            parse_size(text)


def test_slow_link_is_as_slow_as_it_says():
    """A connection gets its rate and its delay, another one beside it the same again, and every byte is counted."""
    size, rate, delay = 2 * _MIB, 8e6, 0.05
    with socket.create_server(("127.0.0.1", 0)) as service:
        threading.Thread(target=_send_twice, args=(service, size), daemon=True).start()
        with SlowLink(service.getsockname()[:2], rate, delay) as link:
            began = time.monotonic()
            fetchers = [threading.Thread(target=_fetch, args=(link.address, size)) for _ in range(2)]
            for fetcher in fetchers:
                fetcher.start()
            for fetcher in fetchers:
                fetcher.join()
            seconds = time.monotonic() - began
            delivered = link.delivered()

    assert delivered == 2 * size
    # Never faster than the link; one connection after the other would take twice as long. The machine may be busy.
    assert size / rate + delay - 0.03 < seconds < 2 * size / rate


def _send_twice(service: socket.socket, size: int) -> None:
    for _ in range(2):
        connection, _ = service.accept()
        threading.Thread(target=_send, args=(connection, size), daemon=True).start()


def _send(connection: socket.socket, size: int) -> None:
    with connection:
        connection.sendall(bytes(size))


def _fetch(address: tuple[str, int], size: int) -> None:
    received = 0
    with socket.create_connection(address) as connection:
        while block := connection.recv(_MIB):
            received += len(block)
    assert received == size
