"""What threads say while the database is away."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy.exc import OperationalError

from ecl.server.db.outage import Outage

GONE = OperationalError("SELECT 1", {}, Exception("no answer\nwith details"))


def test_one_line_and_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    """An outage is one line at its beginning and one at its end; the pauses grow up to a minute."""
    time = [100.0]
    outage = Outage(logging.getLogger("ecl.test"), "the reaper", 5, clock=lambda: time[0])
    outage.worked()
    pauses = []
    for _ in range(8):
        pauses.append(outage.failed(GONE))
        time[0] += pauses[-1]
    assert pauses == [5, 5, 10, 20, 40, 60, 60, 60]
    assert [record.getMessage() for record in caplog.records] == ["the reaper waits for the database: no answer"]

    outage.worked()
    outage.worked()
    assert [record.getMessage() for record in caplog.records[1:]] == [
        "the reaper goes on after 260 seconds without the database"
    ]


def test_a_second_outage_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """After the database has answered, the next failure is a new outage."""
    outage = Outage(logging.getLogger("ecl.test"), "the reaper", 5)
    for _ in range(2):
        assert outage.failed(GONE) == 5
        outage.worked()
    assert len(caplog.records) == 4
