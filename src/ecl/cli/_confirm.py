"""Ask before something that cannot be undone."""

from __future__ import annotations

import sys

import click

from ecl.cli._streams import tell

__all__ = ["confirm", "say"]


def confirm(question: str, yes: bool) -> None:
    """
    Ask *question*, and return only if the answer is yes.

    Args:
        yes: True if ``--yes`` was given: do not ask.

    Raises:
        ClickException: The user answered no, or there is no terminal to ask on.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise _Unanswered(f"{question} There is no terminal to ask on: give --yes to agree.")
    if not click.confirm(question, err=True):
        raise click.ClickException("Nothing was done.")


class _Unanswered(click.ClickException):
    exit_code = 2


def say(text: str) -> None:
    """Tell people something on stderr, which programs do not read; where it is gone, the command goes on."""
    tell(text)
