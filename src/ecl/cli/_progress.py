"""How far a transfer is: a bar on a terminal, one JSON object a line for programs, else nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from ecl.cli._command import PROGRESS
from ecl.cli._suggest import Choice

__all__ = ["Meter", "meter", "progress_option"]

C = TypeVar("C", bound=Callable[..., Any])

#: Called with what is done and what is all of it, None where that is not known.
Meter = Callable[[int, int | None], None]


def progress_option(command: C) -> C:
    """Add ``--progress``."""
    text = "A bar; json: one object a line to stderr; none.  [auto: a bar on a terminal]"
    return click.option("--progress", type=Choice(*PROGRESS), default="auto", metavar="KIND", help=text)(command)


@contextmanager
def meter(kind: str, action: str, subject: str, unit: str = "bytes") -> Iterator[Meter]:
    """
    Give what is to be called while something moves.

    Args:
        kind: ``auto``, ``bar``, ``json`` or ``none``.
        action: What is done, in a word: ``upload``.
        subject: What it is done to.
        unit: ``bytes``, or ``percent``.
    """
    if kind == "json":
        yield _JsonLines(action, subject, unit).at
    elif kind != "none" and sys.stderr.isatty():
        with _bar(action, subject, unit) as at:
            yield at
    else:
        yield lambda _done, _total: None


class _JsonLines:
    def __init__(self, action: str, subject: str, unit: str) -> None:
        self._head = {"action": action, "image": subject, "unit": unit}
        self._begun = time.monotonic()

    def at(self, done: int, total: int | None) -> None:
        seconds = time.monotonic() - self._begun
        line = {**self._head, "done": done, "total": total, "seconds": round(seconds, 3)}
        click.echo(json.dumps(line), err=True)


@contextmanager
def _bar(action: str, subject: str, unit: str) -> Iterator[Meter]:
    # Imported here: only a terminal that something moves on pays for it.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )  # fmt: skip

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()]
    if unit == "bytes":
        columns += [DownloadColumn(), TransferSpeedColumn()]
    columns.append(TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(escape(f"{action} {subject}"), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
