"""Plain words: help texts state what an option does, and no old-fashioned or private words come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ecl.cli.main import cli

ROOT = Path(__file__).parents[2]

#: What the rule holds for; a folder means the Python and Markdown files below it.
PLAIN = ("src/ecl", "docs", "benchmarks/README.md", "README.md", "CONTRIBUTING.md")

#: Words that a colleague whose first language is another one has to look up, or that only we use.
NOT_PLAIN = (
    "all else",
    "anew",
    "are none",
    "half of one",
    "hitherto",
    "is no rate",
    "is none",
    "is to be had",
    "lest",
    "nobody's",
    "none of its",
    "not any more",
    "oneself",
    "thereof",
    "to be had",
    "whereof",
    "whoever",
    "whomever",
    "whosoever",
)
#: Only the first letter may be a capital: "is None" is Python.
_NOT_PLAIN = re.compile(
    r"(?<!there )\b(" + "|".join(f"(?i:{word[0]}){re.escape(word[1:])}" for word in NOT_PLAIN) + r")\b"
)
#: The part of CONTRIBUTING.md that shows what not to write.
_EXAMPLES = re.compile(r"^## Plain words\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def files() -> list[str]:
    """Return the files of PLAIN, as paths below the root."""
    found: list[str] = []
    for name in PLAIN:
        path = ROOT / name
        found += (
            [name]
            if path.is_file()
            else sorted(str(each.relative_to(ROOT)) for each in (*path.rglob("*.py"), *path.rglob("*.md")))
        )
    return found


def commands() -> Iterator[click.Context]:
    """Yield a context for each command."""
    waiting = [click.Context(cli, info_name="ecl")]
    while waiting:
        ctx = waiting.pop()
        yield ctx
        if isinstance(ctx.command, click.Group):
            for name in ctx.command.list_commands(ctx):
                command = ctx.command.get_command(ctx, name)
                assert command is not None
                waiting.append(click.Context(command, parent=ctx, info_name=name))


def test_files_are_there() -> None:
    """The rule holds for files that exist."""
    assert len(files()) > 40


@pytest.mark.parametrize("name", files())
def test_words_are_plain(name: str) -> None:
    """No word of NOT_PLAIN stands in the file, also where a line break parts it."""
    text = _EXAMPLES.sub("", (ROOT / name).read_text())
    words = " ".join(re.sub(r"^\s*#:?", " ", text, flags=re.MULTILINE).split())

    assert [words[max(0, found.start() - 30) : found.end() + 30] for found in _NOT_PLAIN.finditer(words)] == []


def test_help_states_and_never_asks() -> None:
    """No help text has a question: it says what a command does, and what an option changes."""
    asking = []
    for ctx in commands():
        texts = {
            "": ctx.command.help,
            **{str(param.opts): getattr(param, "help", None) for param in ctx.command.params},
        }
        asking += [f"{ctx.command_path} {name}: {text}" for name, text in texts.items() if text and "?" in text]

    assert asking == []


def test_help_of_an_option_begins_with_a_capital_and_ends_a_sentence() -> None:
    """Help texts look alike: a capital, a full stop or …, then defaults in brackets."""
    wrong = []
    for ctx in commands():
        for param in ctx.command.params:
            text = getattr(param, "help", None)
            if text and not re.fullmatch(r"[A-Z].*[.…](?: +\[[^\]]+\])*", text, re.DOTALL):
                wrong.append(f"{ctx.command_path} {param.opts}: {text}")

    assert wrong == []
