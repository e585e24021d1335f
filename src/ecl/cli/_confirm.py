"""Questions before something cannot be taken back."""

from __future__ import annotations

import sys

import click

__all__ = ["confirm", "say"]


def confirm(question: str, yes: bool) -> None:
    """
    Go on only if the user says so.

    Args:
        yes: It was said in advance, by ``--yes``.

    Raises:
        ClickException: The answer is no; or there is nobody to ask, neither ``--yes`` nor a terminal.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise _Unanswered(f"{question} There is no terminal to ask on: give --yes to say so.")
    if not click.confirm(question, err=True):
        raise click.ClickException("Nothing was done.")


class _Unanswered(click.ClickException):
    exit_code = 2


def say(text: str) -> None:
    """Tell people something; programs read stdout, and this is on stderr."""
    click.echo(text, err=True)
