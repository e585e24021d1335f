"""Words of the command line: options that stand anywhere, rates, nearest words, values as text."""

from __future__ import annotations

from typing import Any

import click
import pytest

from ecl.cli._cloud import Given, given
from ecl.cli._command import take_common_options
from ecl.cli._numbers import Rate, Seconds, WholeNumber
from ecl.cli._suggest import Choice, hint
from ecl.cli._values import human_size, plain

OWN = frozenset({"--os-distro", "--name"})


def taken(*words: str, whole: bool = True) -> tuple[list[str], Given]:
    ctx = click.Context(click.Command("x"))
    return take_common_options(ctx, list(words), OWN, whole=whole), given(ctx)


def test_common_options_are_taken_out_wherever_they_stand() -> None:
    """With and without =; what the command has itself stays with it."""
    rest, found = taken("a", "--os-cloud", "c", "--name", "n", "--os-user-domain-id=d", "--os-distro", "x", "--debug")

    assert rest == ["a", "--name", "n", "--os-distro", "x"]
    assert (found.options, found.debug, found.timing) == ({"cloud": "c", "user_domain_id": "d"}, True, False)


def test_nothing_is_taken_behind_two_dashes_or_the_subcommand() -> None:
    """What stands behind -- is an argument; what stands behind a subcommand is that one's."""
    assert taken("--", "--os-cloud", "c")[0] == ["--", "--os-cloud", "c"]
    rest, found = taken("--timing", "image", "--os-cloud", "c", whole=False)
    assert (rest, found.options, found.timing) == (["image", "--os-cloud", "c"], {}, True)


@pytest.mark.parametrize(("text", "rate"), [("1", 1), ("500K", 500_000), ("1.5M", 1_500_000), ("2GB/s", 2 * 10**9)])
def test_rate(text: str, rate: int) -> None:
    """A number with a unit is bytes a second."""
    assert Rate().convert(text, None, None) == rate


@pytest.mark.parametrize("text", ["", "K", "-1M", "0", "1X", "nan", "inf", "1e400"])
def test_what_is_no_rate(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(click.BadParameter, match="must be bytes per second"):
        Rate().convert(text, None, None)


@pytest.mark.parametrize(("number", "text", "said"), [
    (WholeNumber(), "10G", "a whole number, 0 or more, not '10G'"),
    (WholeNumber(1, 64), "65", "a whole number from 1 to 64, not '65'"),
    (WholeNumber(1, 64), "0", "a whole number from 1 to 64, not '0'"),
    (Seconds(), "0", "a number of seconds greater than 0, not '0'"),
    (Seconds(), "nan", "a number of seconds greater than 0, not 'nan'"),
    (Seconds(), "soon", "a number of seconds greater than 0, not 'soon'"),
])  # fmt: skip
def test_bounds_are_said_in_words(number: click.ParamType[Any], text: str, said: str) -> None:
    """What is outside of the bounds is refused, and the error names them."""
    with pytest.raises(click.BadParameter, match=said):
        number.convert(text, None, None)


def test_bounds_belong_to_the_numbers() -> None:
    """The lowest and the highest number are taken."""
    assert [WholeNumber(1, 64).convert(text, None, None) for text in ("1", "64")] == [1, 64]
    assert Seconds().convert("0.5", None, None) == 0.5


def test_nearest_word_or_all_of_them() -> None:
    """One near word is offered; where none is near, all are named."""
    assert hint("lsit", ["list", "show"]) == "did you mean 'list'?"
    assert hint("qqq", ["list", "show"]) == "choose from: list, show"
    assert Choice("json", "table").convert("JSON", None, None) == "json"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5.0 TiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_human_sizes(count: int, text: str) -> None:
    """Sizes have one digit behind the point, in powers of 1024."""
    assert human_size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", "plain"), ("日本 é", "日本 é"), ("a\tb\n", "a\\tb\\n"), ("\x1b[2J\x9b", "\\x1b[2J\\x9b")],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: Any) -> None:
    """Letters of all languages stay; controls do not reach the terminal."""
    assert plain(text) == shown
