"""A table of text that fits the terminal, in the form that users of OpenStack's commands know."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

__all__ = ["draw", "width_of"]

#: Columns are not made narrower than this.
_NARROWEST = 8

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
        right: Which columns are aligned to the right.
        fixed: Which columns keep their width; the others are folded where the table is too wide.
        max_width: Columns of the terminal; None: any width.
        style: Called with the number of the column (-1 in the title), its text, and the text as it is laid out.
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
    """Return the columns of a terminal that *text* takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _narrow(widths: list[int], fixed: Sequence[bool], max_width: int) -> None:
    """Make the widest column that may shrink narrower, until all fit or none can."""
    while sum(widths) + 3 * len(widths) + 1 > max_width:
        able = [index for index, width in enumerate(widths) if not fixed[index] and width > _NARROWEST]
        if not able:
            return
        widths[max(able, key=lambda index: widths[index])] -= 1


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
    """Break *text* into lines of at most *width* columns, after a blank or a comma where there is one."""
    for paragraph in text.split("\n"):
        left = paragraph
        while width_of(left) > width:
            end = _fitting(left, width)
            cut = max(left.rfind(" ", 0, end + 1), left.rfind(",", 0, end) + 1)
            cut = cut if cut > 0 else end
            yield left[:cut].rstrip()
            left = left[cut:].lstrip()
        yield left


def _fitting(text: str, width: int) -> int:
    """Return how many characters of *text* fit; one at least."""
    taken = 0
    for index, each in enumerate(text):
        taken += width_of(each)
        if taken > width:
            return max(index, 1)
    return len(text)
