"""The table that commands draw."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ecl.cli._table import Layout, draw, fitting, width_of

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "M", "Z")), max_size=40)


def lines(titles: list[str], rows: list[list[str]], *layouts: Layout, max_width: int | None = None) -> list[str]:
    """Draw a table; without layouts, all columns may shrink and are aligned to the left."""
    return list(draw(titles, rows, layouts or [Layout()] * len(titles), max_width=max_width))


def test_each_column_is_as_wide_as_it_needs() -> None:
    """Titles and cells alike make a column's width; numbers stand to the right."""
    assert lines(["A", "Size"], [["long name", "1"], ["b", "10"]], Layout(), Layout(right=True)) == [
        "+-----------+------+",
        "| A         | Size |",
        "+-----------+------+",
        "| long name |    1 |",
        "| b         |   10 |",
        "+-----------+------+",
    ]


def test_wide_table_is_folded_at_blanks_and_commas() -> None:
    """The widest column gives way, and its text goes on in the next line; fixed columns stay."""
    drawn = lines(["id", "text"], [["0123456789", "some words, and more"]], Layout(fixed=True), Layout(), max_width=28)

    assert drawn[3:-1] == ["| 0123456789 | some words, |", "|            | and more    |"]


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5), st.integers(40, 120))
def test_table_fits_and_loses_nothing(cells: list[tuple[str, str, str]], width: int) -> None:
    """Whatever is in the cells, all lines are of one width, within the terminal, and each cell's text is there."""
    drawn = lines(["a", "b", "c"], [list(row) for row in cells], max_width=width)

    assert len({width_of(line) for line in drawn}) == 1
    assert width_of(drawn[0]) <= width
    shown = re.sub(r"[\s|+-]", "", "".join(drawn))
    assert sorted(shown) == sorted(re.sub(r"[\s|+-]", "", "abc" + "".join(map("".join, cells))))


@given(st.lists(st.tuples(*[TEXT] * 11), max_size=3), st.sampled_from([60, 80, 200]))
def test_table_of_many_columns_fits(cells: list[tuple[str, ...]], width: int) -> None:
    """Eleven columns fit 60, too: fixed ones give way when the others are at their least."""
    layouts = [Layout(fixed=True), *[Layout()] * 10]

    drawn = lines([f"Title {number}" for number in range(11)], [list(row) for row in cells], *layouts, max_width=width)

    assert max(map(width_of, drawn)) <= width


def test_extra_columns_are_left_out_the_highest_first() -> None:
    """Only as many as must, and of two alike the later one; what is not extra stays at any width."""
    titles, rows = ["id", "a", "b", "c"], [["0123456789", "a" * 8, "b" * 8, "c" * 8]]
    layouts = [Layout(fixed=True), Layout(extra=2), Layout(extra=1), Layout(extra=2)]

    assert [fitting(titles, rows, layouts, width) for width in (47, 46, 35, 24, 5)] == [
        [0, 1, 2, 3], [0, 1, 2], [0, 2], [0], [0],
    ]  # fmt: skip
