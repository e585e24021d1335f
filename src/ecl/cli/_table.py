"""Draw a text table that fits the terminal, in the style of OpenStack's commands."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Layout", "draw", "fitting", "width_of"]

#: Columns are not made narrower than this, unless the table does not fit otherwise.
_MIN_WIDTH = 8
_WIDE_CHARACTER = 2

Style = Callable[[int, str, str], str]


@dataclass(frozen=True)
class Layout:
    """
    How a column is laid out.

    Args:
        right: It is right-aligned.
        fixed: It is folded only if the others cannot give way.
        extra: 0: always shown; otherwise a narrow table leaves it out, the highest first.
    """

    right: bool = False
    fixed: bool = False
    extra: int = 0


def draw(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    layouts: Sequence[Layout],
    *,
    max_width: int | None = None,
    style: Style | None = None,
) -> Iterator[str]:
    """
    Yield the lines of a table.

    Args:
        layouts: For each column, how it is laid out.
        max_width: Width of the terminal in characters; None: no limit.
        style: Called with the column's number (-1 for a title), its text, and the padded text.
    """
    widths = _widths(titles, rows)
    if max_width is not None:
        _narrow(widths, titles, layouts, max_width)
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    right = [layout.right for layout in layouts]
    paint = style or (lambda _column, _text, laid_out: laid_out)
    yield rule
    yield from _row(titles, widths, [False] * len(widths), lambda _column, text, laid_out: paint(-1, text, laid_out))
    yield rule
    for row in rows:
        yield from _row(row, widths, right, paint)
    if rows:
        yield rule


def fitting(
    titles: Sequence[str], rows: Sequence[Sequence[str]], layouts: Sequence[Layout], max_width: int
) -> list[int]:
    """Return the numbers of the columns that a table of that width shows; without the extra ones, if need be."""
    widths, shown = _widths(titles, rows), list(range(len(titles)))
    least = [
        width if layout.fixed else _least(title, width)
        for title, width, layout in zip(titles, widths, layouts, strict=True)
    ]
    for number in sorted(shown, key=lambda number: (-layouts[number].extra, -number)):
        if not layouts[number].extra or _total([least[each] for each in shown]) <= max_width:
            break
        shown.remove(number)
    return shown


def width_of(text: str) -> int:
    """Return the width of *text* on a terminal: wide characters take two columns, combining ones take zero."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _widths(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max((width_of(line) for cell in column for line in cell.split("\n")), default=0)
            for column in zip(titles, *rows, strict=True)]  # fmt: skip


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 3 * len(widths) + 1


def _least(title: str, width: int) -> int:
    """Return the width to which a column of that title shrinks before others must: a word of the title is whole."""
    return min(width, max(_MIN_WIDTH, *map(width_of, title.split() or [""])))


def _narrow(widths: list[int], titles: Sequence[str], layouts: Sequence[Layout], max_width: int) -> None:
    """Shrink the widest column, one character at a time, until the table fits: fixed ones last."""
    least = [_least(title, width) for title, width in zip(titles, widths, strict=True)]
    stages = [
        [width if layout.fixed else low for width, layout, low in zip(widths, layouts, least, strict=True)],
        least,
        [min(width, _WIDE_CHARACTER) for width in widths],
    ]
    for bounds in stages:
        while _total(widths) > max_width:
            shrinkable = [index for index, width in enumerate(widths) if width > bounds[index]]
            if not shrinkable:
                break
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
