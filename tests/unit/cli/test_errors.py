"""What a command says of an error."""

from __future__ import annotations

from ecl import exceptions
from ecl.cli._errors import describe


def test_error_of_the_sdk_says_its_own_sentence() -> None:
    """An SDK error that is an OSError, too, is not replaced by the system's words."""
    cause = OSError(28, "No space left on device", "disk.raw")

    assert describe(cause) == "disk.raw: No space left on device"
    assert describe(exceptions.FileFailure("disk.raw cannot be written; make room", cause=cause)) == (
        "disk.raw cannot be written; make room"
    )
