"""How a command ends on an error: one line on stderr, and the exit code."""

from __future__ import annotations

import sys
from typing import IO, Any

import click

__all__ = ["Interrupted", "describe", "exit_code", "one_line"]


class Interrupted(click.ClickException):
    """Ctrl-C; the message says what was undone, or how to continue."""

    exit_code = 130

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message."""
        click.echo(f"Interrupted: {self.format_message()}", file=file or sys.stderr)


def exit_code(exc: Exception) -> int:
    """Return 2 for wrong usage, 1 for any other failure."""
    from ecl import exceptions

    return 2 if isinstance(exc, (exceptions.ConfigException, exceptions.InvalidRequest)) else 1


def describe(exc: BaseException) -> str:
    """Return one line that says what happened, followed by the notes added to *exc*."""
    from ecl import exceptions

    # An error of the SDK that is an OSError, too, says more than the system does.
    if isinstance(exc, OSError) and exc.strerror and not isinstance(exc, exceptions.SDKException):
        text = f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror
    else:
        text = str(exc) or type(exc).__name__
    return one_line(" ".join([text, *getattr(exc, "__notes__", ())]))


def one_line(text: str) -> str:
    """Return *text* without line breaks and without control characters."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
