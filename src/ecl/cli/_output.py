"""Write results to stdout: a table for people; JSON, YAML, CSV or plain values for programs."""

from __future__ import annotations

import functools
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from ecl.cli._completion import columns_of
from ecl.cli._numbers import WholeNumber
from ecl.cli._streams import tell
from ecl.cli._suggest import Choice, hint
from ecl.cli._values import cell, csv_cell, human_size, is_size, value_text

__all__ = ["Column", "Output", "listing", "showing", "uses_colour"]

R = TypeVar("R")

_COLOURS = {
    "active": "green", "accepted": "green", "replicated": "green",
    "queued": "yellow", "saving": "yellow", "importing": "yellow", "uploading": "yellow", "pending": "yellow",
    "replicating": "yellow", "replicate_requested": "yellow", "deactivated": "yellow",
    "error": "red", "killed": "red", "rejected": "red", "canceled": "red",
}  # fmt: skip
_NUMBERS = frozenset({"size", "virtual_size", "min_disk", "min_ram", "copy_progress"})
_QUOTING = {"all": 1, "minimal": 0, "none": 3, "nonnumeric": 2}


@dataclass(frozen=True)
class Column:
    """A column: its key in machine formats, and its title in a table."""

    key: str
    title: str
    #: 0: always in the table; otherwise left out if the terminal is too narrow, the highest first.
    extra: int = 0

    def is_called(self, name: str) -> bool:
        """Tell whether *name* is the key or title of this column; case, blanks and dashes do not matter."""
        return _folded(name) in (_folded(self.key), _folded(self.title))


@dataclass
class Output:
    """The output options of a command; writes results in the chosen format."""

    format: str = "table"
    columns: tuple[str, ...] = ()
    noindent: bool = False
    max_width: int = 0
    prefix: str = ""
    human: bool = False
    sort_columns: tuple[str, ...] = ()
    descending: bool = False
    quote: str = "nonnumeric"

    def rows(self, columns: Sequence[Column], items: Iterable[Mapping[str, Any]], more: Sequence[Column] = ()) -> None:
        """
        Write one row for each of *items*.

        Args:
            columns: The command's columns. ``-c`` chooses among these and all other keys of the items.
            more: Further columns that ``-c`` may name. With these and without items, ``-c`` takes any name.

        Raises:
            UsageError: ``-c`` names a column that no item has.
        """
        streams = self.format in ("csv", "value") and not self.sort_columns and _all_in(self.columns, columns)
        found: Iterable[Mapping[str, Any]] = items if streams else list(items)
        chosen = _chosen(self.columns, columns, found if isinstance(found, list) else (), more)
        if isinstance(found, list):
            found = self._sorted(found, columns, more)
        getattr(self, f"_{self.format}_rows")(chosen, found)

    def fields(self, item: Mapping[str, Any], columns: Sequence[Column] | None = None) -> None:
        """
        Write the fields of one object.

        Args:
            columns: The fields to show, in this order; None: all fields of *item*.

        Raises:
            UsageError: ``-c`` names a field that *item* does not have.
        """
        available = [Column(key, key) for key in item] if columns is None else columns
        chosen = _chosen(self.columns, available, [item])
        getattr(self, f"_{self.format}_fields")({column.key: item.get(column.key) for column in chosen})

    def _sorted(
        self, items: list[Mapping[str, Any]], columns: Sequence[Column], more: Sequence[Column]
    ) -> list[Mapping[str, Any]]:
        if not self.sort_columns:
            return items
        # The last column first: sorting is stable.
        for column in reversed(_chosen(self.sort_columns, columns, items, more)):
            items = sorted(items, key=lambda item, key=column.key: _order(item.get(key)), reverse=self.descending)  # type: ignore[misc]  # mypy does not infer a lambda's default
        return items

    # --- formats ------------------------------------------------------------------------------------------

    def _table_rows(self, columns: Sequence[Column], items: Sequence[Mapping[str, Any]]) -> None:
        rows = [[cell(column.key, item.get(column.key)) for column in columns] for item in items]
        self._draw([column if not self.columns else replace(column, extra=0) for column in columns], rows)

    def _table_fields(self, item: Mapping[str, Any]) -> None:
        # The key is the only hint about the value's type.
        rows = [[key, cell(key, value)] for key, value in item.items()]
        self._draw([Column("field", "Field"), Column("value", "Value")], rows)

    def _draw(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        from ecl.cli._table import Layout, draw, fitting

        width = self.max_width or int(os.environ.get("CLIFF_MAX_TERM_WIDTH") or 0)
        if not width and sys.stdout.isatty():
            import shutil

            width = shutil.get_terminal_size().columns
        titles = [column.title for column in columns]
        layouts = [Layout(column.key in _NUMBERS, _is_fixed(column.key), column.extra) for column in columns]
        left_out: list[str] = []
        if width:
            shown = fitting(titles, rows, layouts, width)
            left_out = [columns[number].key for number in range(len(columns)) if number not in shown]
            titles, layouts = [titles[number] for number in shown], [layouts[number] for number in shown]
            rows = [[row[number] for number in shown] for row in rows]
        for line in draw(titles, rows, layouts, max_width=width or None, style=_painted if uses_colour() else None):
            click.echo(line)
        if left_out:
            tell(f"Too narrow for the columns {', '.join(left_out)}: choose columns with -c, or use -f json.")

    def _json_rows(self, columns: Sequence[Column], items: Sequence[Mapping[str, Any]]) -> None:
        self._json([self._record(columns, item) for item in items])

    def _json_fields(self, item: Mapping[str, Any]) -> None:
        self._json(self._machine(item))

    def _json(self, value: Any) -> None:
        is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        click.echo(json.dumps(value, indent=None if self.noindent else 2, ensure_ascii=not is_utf8, default=str))

    def _yaml_rows(self, columns: Sequence[Column], items: Sequence[Mapping[str, Any]]) -> None:
        self._yaml([self._record(columns, item) for item in items])

    def _yaml_fields(self, item: Mapping[str, Any]) -> None:
        self._yaml(self._machine(item))

    def _yaml(self, value: Any) -> None:
        import yaml

        click.echo(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), nl=False)

    def _csv_rows(self, columns: Sequence[Column], items: Iterable[Mapping[str, Any]]) -> None:
        import csv

        # With quotes, a backslash is a character like any other.
        escape = "\\" if self.quote == "none" else None
        writer: Any = csv.writer(
            sys.stdout, quoting=_QUOTING[self.quote], escapechar=escape, lineterminator=os.linesep  # type: ignore[arg-type]  # the constants are plain numbers
        )  # fmt: skip
        # The first item comes before the header: where the cloud refuses the list, nothing is written.
        rows = iter(items)
        first = list(itertools.islice(rows, 1))
        writer.writerow([csv_cell(column.key, on_terminal=False) for column in columns])
        on_terminal = sys.stdout.isatty()
        for item in itertools.chain(first, rows):
            writer.writerow([csv_cell(value, on_terminal) for value in self._record(columns, item).values()])

    def _csv_fields(self, item: Mapping[str, Any]) -> None:
        self._csv_rows([Column(key, key) for key in item], [item])

    def _value_rows(self, columns: Sequence[Column], items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            click.echo(" ".join(value_text(value) for value in self._record(columns, item).values()))

    def _value_fields(self, item: Mapping[str, Any]) -> None:
        for value in self._machine(item).values():
            click.echo(value_text(value))

    def _shell_fields(self, item: Mapping[str, Any]) -> None:
        import shlex

        for key, value in self._machine(item).items():
            name = "".join(char if char.isalnum() and char.isascii() else "_" for char in key)
            click.echo(f"{self.prefix}{name}={shlex.quote(value_text(value))}")

    def _record(self, columns: Sequence[Column], item: Mapping[str, Any]) -> dict[str, Any]:
        return self._machine({column.key: item.get(column.key) for column in columns})

    def _machine(self, item: Mapping[str, Any]) -> dict[str, Any]:
        if not self.human:
            return dict(item)
        return {key: human_size(value) if is_size(key, value) else value for key, value in item.items()}


# --- options ----------------------------------------------------------------------------------------------


def listing(command: Callable[..., R]) -> Callable[..., R]:
    """Add the output options of a command that lists objects; it gets an :class:`Output` as its first argument."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> R:
        return command(_output_of(kwargs), *args, **kwargs)

    options = [
        *_shared(("table", "json", "yaml", "csv", "value")),
        click.option(
            "--sort-column",
            "out_sort",
            multiple=True,
            metavar="COLUMN",
            shell_complete=columns_of,
            help="Sort by this column; repeatable.",
        ),
        click.option("--sort-descending/--sort-ascending", "out_descending", help="Sort in this order.  [ascending]"),
        click.option(
            "--quote",
            "out_quote",
            type=Choice(*_QUOTING),
            default="nonnumeric",
            help="Which CSV fields to quote.  [nonnumeric]",
        ),
    ]
    return _with(options, run)


def showing(command: Callable[..., R]) -> Callable[..., R]:
    """Add the output options of a command that shows one object; it gets an :class:`Output` as its first argument."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> R:
        return command(_output_of(kwargs), *args, **kwargs)

    prefix = click.option(
        "--prefix", "out_prefix", default="", metavar="TEXT", help="Prefix of each variable name, with -f shell."
    )
    return _with([*_shared(("table", "json", "yaml", "csv", "value", "shell")), prefix], run)


def _shared(formats: tuple[str, ...]) -> list[Any]:
    return [
        click.option("-f", "--format", "out_format", type=Choice(*formats), default="table",
                     help="Output format.  [table]"),
        click.option("-c", "--column", "out_columns", multiple=True, metavar="COLUMN",
                     shell_complete=columns_of, help="Show only this column; repeatable."),
        click.option("--noindent", "out_noindent", is_flag=True, help="Write JSON on one line."),
        click.option("--max-width", "out_width", type=WholeNumber(), default=0, metavar="N",
                     help="Width of a table, in characters.  [as wide as the terminal]"),
        click.option("--human-readable", "out_human", is_flag=True, help="Show sizes in MiB and GiB in every format."),
        # openstackclient has these. A table here always fits the terminal and always has a title row.
        click.option("--fit-width", "out_fit", is_flag=True, hidden=True),
        click.option("--print-empty", "out_empty", is_flag=True, hidden=True),
    ]  # fmt: skip


def _with(options: list[Any], command: Callable[..., R]) -> Callable[..., R]:
    for option in reversed(options):
        command = option(command)
    return command


def _output_of(kwargs: dict[str, Any]) -> Output:
    for accepted in ("out_fit", "out_empty"):
        kwargs.pop(accepted)
    return Output(
        format=kwargs.pop("out_format"),
        columns=kwargs.pop("out_columns"),
        noindent=kwargs.pop("out_noindent"),
        max_width=kwargs.pop("out_width"),
        human=kwargs.pop("out_human"),
        prefix=kwargs.pop("out_prefix", ""),
        sort_columns=kwargs.pop("out_sort", ()),
        descending=kwargs.pop("out_descending", False),
        quote=kwargs.pop("out_quote", "nonnumeric"),
    )


# --- columns ------------------------------------------------------------------------------------------


def uses_colour() -> bool:
    """Tell whether stdout is a terminal that shows colours, and the user has not set NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _painted(column: int, text: str, laid_out: str) -> str:
    if column < 0:
        return click.style(laid_out, bold=True)
    colour = _COLOURS.get(text)
    return click.style(laid_out, fg=colour) if colour else laid_out


def _is_fixed(key: str) -> bool:
    return key in ("id", "field") or key.endswith("_id")


def _folded(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def _all_in(names: Sequence[str], columns: Sequence[Column]) -> bool:
    return all(any(column.is_called(name) for column in columns) for name in names)


def _chosen(
    names: Sequence[str],
    columns: Sequence[Column],
    items: Sequence[Mapping[str, Any]],
    more: Sequence[Column] = (),
) -> list[Column]:
    """Return the columns with these *names*, or *columns* if there are no names. Raises UsageError."""
    chosen = []
    for name in names:
        column = next((known for known in (*columns, *more) if known.is_called(name)), None)
        if column is None and (any(name in item for item in items) or (more and not items)):
            column = Column(name, name)
        if column is None:
            known = dict.fromkeys([*(each.key for each in (*columns, *more)), *(key for item in items for key in item)])
            raise click.UsageError(f"There is no column {name!r}; {hint(name, known)}")
        chosen.append(column)
    return chosen or list(columns)


def _order(value: Any) -> tuple[int, Any]:
    """Return a sort key: None first, then numbers, then text."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, (int, float)) else (2, str(value))
