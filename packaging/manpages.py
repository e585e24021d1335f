"""Write a man page for each command of ``ecl``, from the command's own help: python packaging/manpages.py FOLDER."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
EXIT_CODES = ((0, "Success."), (1, "Failure."), (2, "Wrong usage."), (130, "Interrupted."))
ENVIRONMENT = (
    ("OS_CLOUD", "Name of a cloud in clouds.yaml."),
    ("OS_CLIENT_CONFIG_FILE", "The clouds.yaml to read."),
    ("OS_*", "Any option --os-NAME, as OS_NAME."),
)


def write(folder: Path) -> list[Path]:
    """Write the pages into *folder*, and return their paths."""
    sys.path.insert(0, str(ROOT / "src"))
    try:
        from ecl.cli.main import cli
    finally:
        sys.path.pop(0)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ctx in _contexts(click.Context(cli, info_name="ecl", **cli.context_settings)):
        paths.append(folder / f"{_name(ctx)}.1")
        paths[-1].write_text("\n".join([*page(ctx), ""]), encoding="utf-8")
    return paths


def page(ctx: click.Context) -> Iterator[str]:
    """Yield the lines of one page, in the macros of man(7)."""
    from ecl.version import __version__

    name, command = _name(ctx), ctx.command
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch else ""
    yield f'.TH "{_text(name.upper())}" "1" "{date}" "ecl\\-image {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"{_text(name)} \\- {_text(_short(ctx).rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_text(ctx.command_path)}"
    yield _text(" ".join(command.collect_usage_pieces(ctx)))
    yield ".SH DESCRIPTION"
    yield from _prose(command.help or "")
    options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    yield from _section("OPTIONS", [record for option in options if (record := option.get_help_record(ctx))])
    yield from _section("COMMANDS", [(f"{_name(each)}(1)", _short(each)) for each in _below(ctx)])
    if ctx.parent is None:
        yield from _section("ENVIRONMENT", ENVIRONMENT)
        yield from _section("EXIT STATUS", [(str(code), text) for code, text in EXIT_CODES])
    else:
        yield ".SH SEE ALSO"
        parents = dict.fromkeys(["ecl", _name(ctx.parent)])
        yield ", ".join(f"\\fB{_text(parent)}\\fR(1)" for parent in parents)


def _contexts(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    for each in _below(ctx):
        yield from _contexts(each)


def _below(ctx: click.Context) -> list[click.Context]:
    if not isinstance(ctx.command, click.Group):
        return []
    names = ctx.command.list_commands(ctx)
    commands = [(name, ctx.command.get_command(ctx, name)) for name in names]
    return [click.Context(command, parent=ctx, info_name=name) for name, command in commands if command is not None]


def _name(ctx: click.Context) -> str:
    return ctx.command_path.replace(" ", "-")


def _short(ctx: click.Context) -> str:
    return ctx.command.get_short_help_str(200)


def _section(title: str, records: Sequence[tuple[str, str]]) -> Iterator[str]:
    if records:
        yield f".SH {title}"
    for term, text in records:
        yield ".TP"
        yield f"\\fB{_text(term)}\\fR"
        yield _text(" ".join(text.split()))


def _prose(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; those after ``\\b`` keep their lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        lines = [line.rstrip() for line in paragraph.splitlines()]
        if number:
            yield ".PP"
        if lines[0].strip() == "\b":
            yield from (".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield _text(" ".join(line.strip() for line in lines))


def _text(text: str) -> str:
    """Return *text* so that roff takes no character of it for its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    target = Path(sys.argv[1])
    print(f"{len(write(target))} pages in {target}")
