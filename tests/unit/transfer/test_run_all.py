"""Jobs side by side: what is raised when they fail."""

from __future__ import annotations

import threading

import pytest

from ecl import exceptions
from ecl._http.stop import Stop
from ecl.image._transfer.pool import run_all


def on_abandoned(index: int, error: BaseException) -> None:
    """Say that a job could not be ended."""
    pytest.fail(f"job {index} was taken for one that runs: {error}")


def test_notes() -> None:
    """The first error has the messages of the others, and what they had to say beside."""
    both = threading.Barrier(2)

    def fail(number: int) -> None:
        both.wait()
        error = exceptions.FileFailure(f"no room for {number}")
        error.add_note(f"{number} bytes are there.")
        raise error

    with pytest.raises(exceptions.FileFailure, match="no room for 1") as caught:
        run_all([lambda: fail(1), lambda: fail(2)], 2, Stop(), on_abandoned)

    assert caught.value.__notes__ == [
        "1 bytes are there.", "Another transfer failed, too: no room for 2", "2 bytes are there.",
    ]  # fmt: skip


def test_same_error_from_several() -> None:
    """An error that several jobs raise, as a progress callback may let them, comes out once, with its own notes."""
    both = threading.Barrier(2)
    error = ValueError("enough")
    error.add_note("1 byte is there.")

    def fail() -> None:
        both.wait()
        raise error

    with pytest.raises(ValueError, match="enough") as caught:
        run_all([fail, fail], 2, Stop(), on_abandoned)

    assert caught.value is error
    assert error.__notes__ == ["1 byte is there."]


def test_stopped_before_it_begins() -> None:
    """Whoever comes to a Stop that was used finds out, and nothing is called."""
    stop = Stop()
    stop.stop()

    with pytest.raises(exceptions.SDKException, match="was stopped"), stop.calling(pytest.fail):
        pytest.fail("it began")
