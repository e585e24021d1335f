"""What ``--dry-run`` writes: one row for each step that would be done, in every command and every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._output import Column, Output

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["print_steps", "step"]

_COLUMNS = [Column("action", "Action"), Column("name", "Name"), Column("id", "ID"), Column("why", "Why")]


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
