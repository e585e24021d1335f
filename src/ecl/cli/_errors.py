"""How a command ends on an error: one line on stderr, and the exit code."""

from __future__ import annotations

import re

import click

__all__ = ["Interrupted", "describe", "exit_code", "one_line", "shortened"]

#: A quoted text in a message. An apostrophe inside a word is no quote.
_QUOTED = re.compile(r"""(?<!\w)(['"])(.*?)\1(?!\w)""", re.DOTALL)
#: Characters of a quoted text from which it is cut, and to which.
_MOST_QUOTED, _LEFT = 100, 60


class Interrupted(click.ClickException):
    """Ctrl-C; the message says what was undone, or how to continue."""

    exit_code = 130


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
    """Return *text* without line breaks and control characters, and with long quoted values cut."""
    return shortened("".join(char for char in " ".join(text.split()) if char.isprintable()))


def shortened(text: str) -> str:
    """Return *text* with every long quoted value cut, so that what was wrong with it can be read."""
    return _QUOTED.sub(_cut, text)


def _cut(found: re.Match[str]) -> str:
    quote, value = found.groups()
    return found.group() if len(value) <= _MOST_QUOTED else f"{quote}{value[:_LEFT]}…{quote}"
