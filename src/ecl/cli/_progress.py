"""Progress of a transfer: a bar on a terminal, JSON lines for programs, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, TypeVar, cast

import click

from ecl.cli._command import PROGRESS
from ecl.cli._suggest import Choice
from ecl.cli._values import human_size

__all__ = ["Meter", "meter", "progress_option"]

C = TypeVar("C", bound=Callable[..., Any])

#: Called with the amount done, and the total (None if unknown).
Meter = Callable[[int, int | None], None]


def progress_option(command: C) -> C:
    """Add ``--progress``."""
    text = "Progress on stderr: auto (a bar on a terminal), bar, json (one object per line) or none.  [auto]"
    return click.option("--progress", type=Choice(*PROGRESS), default="auto", metavar="KIND", help=text)(command)


@contextmanager
def meter(kind: str, action: str, subject: str, unit: str = "bytes") -> Iterator[Meter]:
    """
    Yield the callback that reports progress.

    Args:
        kind: ``auto``, ``bar``, ``json`` or ``none``.
        action: The action in one word, such as ``upload``.
        subject: Name of the image.
        unit: ``bytes``, or ``percent``.
    """
    if kind == "json":
        yield _JsonLines(action, subject, unit).at
    elif kind != "none" and sys.stderr.isatty():
        with _bar(action, subject, unit) as at:
            yield at
    else:
        yield lambda _done, _total: None


class _Terminal:
    """
    stderr, for a bar, which must not fail.

    A terminal that is closed ends the command by SIGHUP. Where that is ignored, as after `nohup` or `disown`, the
    transfer goes on without its bar.
    """

    def __init__(self) -> None:
        # rich puts something of its own in the place of sys.stderr.
        self._file = sys.stderr

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


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
    # Imported here: rich is slow to import, and only a bar needs it.
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Speed(ProgressColumn):
        """Bytes per second, in the units of the tables; rich has powers of 1000 only."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("?" if speed is None else f"{human_size(int(speed))}/s", style="progress.data.speed")

    # The name and the bar share what the numbers leave of the line.
    named = Column(no_wrap=True, overflow="ellipsis", ratio=2)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", table_column=named),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TaskProgressColumn(table_column=Column(no_wrap=True)),
    ]
    if unit == "bytes":
        columns += [
            DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
            Speed(table_column=Column(no_wrap=True)),
        ]
    columns.append(TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)))
    with Progress(*columns, expand=True, console=Console(file=cast("TextIO", _Terminal()))) as progress:
        task = progress.add_task(escape(f"{action} {subject}"), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
