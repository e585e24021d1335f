"""The table that commands draw."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ecl.cli._table import draw, width_of

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), max_size=40)


def lines(titles: list[str], rows: list[list[str]], **options: object) -> list[str]:
    """Draw a table whose columns may all shrink, aligned to the left."""
    sides = {"right": [False] * len(titles), "fixed": [False] * len(titles)}
    return list(draw(titles, rows, **{**sides, **options}))  # type: ignore[arg-type]  # options by name


def test_each_column_is_as_wide_as_it_needs() -> None:
    """Titles and cells alike make a column's width; numbers stand to the right."""
    assert lines(["A", "Size"], [["long name", "1"], ["b", "10"]], right=[False, True]) == [
        "+-----------+------+",
        "| A         | Size |",
        "+-----------+------+",
        "| long name |    1 |",
        "| b         |   10 |",
        "+-----------+------+",
    ]


def test_wide_table_is_folded_at_blanks_and_commas() -> None:
    """The widest column gives way, and its text goes on in the next line; fixed columns stay."""
    drawn = lines(["id", "text"], [["0123456789", "some words, and more"]], max_width=28, fixed=[True, False])

    assert drawn[3:-1] == ["| 0123456789 | some words, |", "|            | and more    |"]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5), st.integers(40, 120))
def test_table_fits_and_loses_nothing(cells: list[tuple[str, str, str]], width: int) -> None:
    """Whatever is in the cells, all lines are of one width, within the terminal, and each cell's text is there."""
    drawn = lines(["a", "b", "c"], [list(row) for row in cells], max_width=width)

    assert len({width_of(line) for line in drawn}) == 1
    assert width_of(drawn[0]) <= width
    shown = re.sub(r"[\s|+-]", "", "".join(drawn))
    assert sorted(shown) == sorted(re.sub(r"[\s|+-]", "", "abc" + "".join(map("".join, cells))))
