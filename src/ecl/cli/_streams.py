"""Standard streams: their errors, those that are closed from the start, and those whose reader goes away."""

from __future__ import annotations

import contextlib
import io
import os
import sys

import click

__all__ = ["is_closed", "prepare", "silence_broken", "tell"]


def prepare() -> None:
    """
    Make the standard streams fit to be used by any command.

    A name that the terminal has no letters for does not end a command. A stream that is closed (``>&-``), for which
    Python has None, becomes one to or from nowhere, and no file or connection gets its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - used to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError):
                stream.reconfigure(errors="backslashreplace")


def is_closed(name: str) -> bool:
    """Tell whether the command was started with the stream *name* closed: ``stdin``, ``stdout``."""
    return getattr(sys, f"__{name}__") is None


def tell(message: str) -> None:
    """Write *message* to stderr; where that is gone, the exit code has to do."""
    with contextlib.suppress(OSError):
        click.echo(message, err=True)


def silence_broken() -> None:
    """Drop what cannot be written any more, so that Python does not complain about it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # In tests a stream may have no descriptor.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
