"""What ``--dry-run`` writes: one row for each step that would be done, in every command and every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecl.cli._output import Column, Output

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["changed", "dry_run_option", "print_steps", "step"]

C = TypeVar("C", bound=Callable[..., Any])

_COLUMNS = [Column("action", "Action"), Column("name", "Name"), Column("id", "ID"), Column("why", "Why")]


def dry_run_option(command: C) -> C:
    """Add ``--dry-run``."""
    text = "Show what would be done, in the chosen format, and do nothing."
    return click.option("--dry-run", is_flag=True, help=text)(command)


def changed(changes: Mapping[str, Any]) -> str:
    """Return attributes and properties with their new values as one text; None means that it is removed."""
    flat = {name: value for name, value in changes.items() if name != "properties"} | changes.get("properties", {})
    return ", ".join(f"no {name}" if value is None else f"{name}={_text(value)}" for name, value in flat.items())


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def step(action: str, image: Image | str, why: str = "") -> dict[str, Any]:
    """
    Return the row for one step.

    Args:
        image: The image that it concerns, or the name of one that is not there yet.
    """
    if isinstance(image, str):
        return {"action": action, "name": image, "id": None, "why": why}
    return {"action": action, "name": image.name, "id": image.id, "why": why}


def print_steps(out: Output, steps: Sequence[dict[str, Any]]) -> None:
    """
    Write the steps in the chosen format. Columns of ``-c`` that only the result has are ignored.

    Raises:
        UsageError: The format is ``shell``, which has no rows.
    """
    if out.format == "shell":
        raise click.UsageError("--dry-run writes a list, which -f shell cannot show: use -f json or another format.")
    chosen = tuple(name for name in out.columns if any(column.is_called(name) for column in _COLUMNS))
    replace(out, columns=chosen).rows(_COLUMNS, steps)
