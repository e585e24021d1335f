"""What a command says of an error."""

from __future__ import annotations

import pytest

from ecl import exceptions
from ecl.cli._errors import describe, shortened


def test_error_of_the_sdk_says_its_own_sentence() -> None:
    """An SDK error that is an OSError, too, is not replaced by the system's words."""
    cause = OSError(28, "No space left on device", "disk.raw")

    assert describe(cause) == "disk.raw: No space left on device"
    assert describe(exceptions.FileFailure("disk.raw cannot be written; make room", cause=cause)) == (
        "disk.raw cannot be written; make room"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no tag '{'x' * 101}'; stop", f"no tag '{'x' * 60}…'; stop"),
        (f'"{"y" * 101}" is too long', f'"{"y" * 60}…" is too long'),
        (f"no tag '{'x' * 100}'", f"no tag '{'x' * 100}'"),
        (f"the cloud's answer, which {'is long ' * 20} and isn't read", None),
        (f"'a' {'is long ' * 20} 'b'", None),
    ],
)
def test_long_quoted_value_is_cut(text: str, shown: str | None) -> None:
    """Above 100 characters 60 are left, of what stands in quotes alone; an apostrophe is no quote."""
    assert shortened(text) == (text if shown is None else shown)
