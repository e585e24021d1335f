"""Draw a text table that fits the terminal, in the style of OpenStack's commands."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

__all__ = ["draw", "width_of"]

#: Columns are not made narrower than this.
_MIN_WIDTH = 8

Style = Callable[[int, str, str], str]


def draw(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[bool],
    fixed: Sequence[bool],
    max_width: int | None = None,
    style: Style | None = None,
) -> Iterator[str]:
    """
    Yield the lines of a table.

    Args:
        right: For each column, whether it is right-aligned.
        fixed: For each column, whether it keeps its width; the others are folded if the table is too wide.
        max_width: Width of the terminal in characters; None: no limit.
        style: Called with the column's number (-1 for a title), its text, and the padded text.
    """
    widths = [max((width_of(line) for cell in column for line in cell.split("\n")), default=0)
              for column in zip(titles, *rows, strict=True)]  # fmt: skip
    if max_width is not None:
        _narrow(widths, fixed, max_width)
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    paint = style or (lambda _column, _text, laid_out: laid_out)
    yield rule
    yield from _row(titles, widths, [False] * len(widths), lambda _column, text, laid_out: paint(-1, text, laid_out))
    yield rule
    for row in rows:
        yield from _row(row, widths, right, paint)
    if rows:
        yield rule


def width_of(text: str) -> int:
    """Return the width of *text* on a terminal: wide characters take two columns, combining ones take zero."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _narrow(widths: list[int], fixed: Sequence[bool], max_width: int) -> None:
    """Shrink the widest column that is not fixed, one character at a time, until the table fits."""
    while sum(widths) + 3 * len(widths) + 1 > max_width:
        shrinkable = [index for index, width in enumerate(widths) if not fixed[index] and width > _MIN_WIDTH]
        if not shrinkable:
            return
        widths[max(shrinkable, key=lambda index: widths[index])] -= 1


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], paint: Style) -> Iterator[str]:
    folded = [list(_fold(cell, width)) for cell, width in zip(cells, widths, strict=True)]
    for line in range(max(map(len, folded))):
        parts = []
        for index, lines in enumerate(folded):
            text = lines[line] if line < len(lines) else ""
            space = " " * (widths[index] - width_of(text))
            parts.append(paint(index, cells[index], space + text if right[index] else text + space))
        yield "| " + " | ".join(parts) + " |"


def _fold(text: str, width: int) -> Iterator[str]:
    """Break *text* into lines of at most *width* columns, at a space or after a comma if possible."""
    for paragraph in text.split("\n"):
        rest = paragraph
        while width_of(rest) > width:
            end = _fitting(rest, width)
            cut = max(rest.rfind(" ", 0, end + 1), rest.rfind(",", 0, end) + 1)
            cut = cut if cut > 0 else end
            yield rest[:cut].rstrip()
            rest = rest[cut:].lstrip()
        yield rest


def _fitting(text: str, width: int) -> int:
    """Return how many characters of *text* fit into *width*; at least one."""
    taken = 0
    for index, each in enumerate(text):
        taken += width_of(each)
        if taken > width:
            return max(index, 1)
    return len(text)
