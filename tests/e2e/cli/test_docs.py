"""docs/command.md: what it shows is what the command writes, and its reference is the command's own help."""

from __future__ import annotations

import difflib
import os
import random
import re
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from ecl.cli.main import cli
from ecl.testing import ImageService
from support.commands import Command, write_clouds

PAGE = Path(__file__).parents[3] / "docs" / "command.md"
#: Set to write the page anew, in place of comparing it.
UPDATE = bool(os.environ.get("UPDATE_DOCS"))
_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
_REFERENCE = re.compile(r"(?<=UPDATE_DOCS=1 -->\n).*(?=<!-- reference: end -->)", re.DOTALL)
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")


def contexts(ctx: click.Context) -> Iterator[click.Context]:
    """Yield *ctx* and those of all commands below it."""
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            settings: dict[str, Any] = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
            yield from contexts(click.Context(command, parent=ctx, info_name=name, **settings))


def every_command() -> list[click.Context]:
    """Return a context for each command, as wide as the page."""
    root = click.Context(cli, info_name="ecl", terminal_width=100, max_content_width=100, **cli.context_settings)
    return list(contexts(root))


def reference() -> str:
    """The help of every command, as the page has it."""
    parts = [f"### `{ctx.command_path}`\n\n```\n{ctx.command.get_help(ctx).rstrip()}\n```\n" for ctx in every_command()]
    return "\n" + "\n".join(parts)


@pytest.fixture
def _as_on_the_page(service: ImageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clouds and files that the page speaks of."""
    regions = {"jp1": "jp1", "jp2": "jp2", "partner": "jp1"}
    write_clouds(
        tmp_path / "clouds.yaml", service, {name: service.add_project(region) for name, region in regions.items()}
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("OS_CLOUD", "jp1")
    monkeypatch.chdir(tmp_path)
    for name, size in (("debian-13", 3 << 20), ("tools", 1 << 20)):
        (tmp_path / f"{name}.raw").write_bytes(random.Random(name).randbytes(size))
    manifest = re.search(r"```yaml\n(# base\.yaml\n.*?)```", PAGE.read_text(), re.DOTALL)
    assert manifest
    (tmp_path / "base.yaml").write_text(manifest.group(1))


def steady(text: str, known: dict[str, str]) -> str:
    """Put the same IDs and times into what a command writes, whenever it is run."""

    def replaced(match: re.Match[str]) -> str:
        made = uuid.UUID(int=random.Random(f"{len(known)}").getrandbits(128), version=4)
        # Checksums come from the data, which is the same each time.
        kind = str(made) if "-" in match.group() else made.hex
        return known.setdefault(match.group(), kind)

    text = _CHANGING.sub(replaced, text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-01-15T09:30:00Z", text)
    return re.sub(r"http://127\.0\.0\.1:\d+", "https://cloud.example", text)


def difference(page: str, made: str) -> str:
    """Return where the page and what was made differ, in full."""
    return "\n".join(difflib.unified_diff(page.splitlines(), made.splitlines(), "page", "made", lineterm=""))


@pytest.mark.usefixtures("_as_on_the_page")
def test_page_shows_what_the_command_writes(ecl: Command) -> None:
    """Each command of the page, run in its order, writes what stands below it."""
    known: dict[str, str] = {}

    def run(block: re.Match[str]) -> str:
        shown = ""
        for line in block.group().splitlines():
            if line.startswith("$ ecl "):
                ended = ecl(*shlex.split(line.removeprefix("$ ecl ")), code=None)
                shown += f"{line}\n{steady(ended.err + ended.out, known)}"
        return shown

    page = PAGE.read_text()
    made = _BLOCK.sub(run, page)
    if UPDATE:
        PAGE.write_text(made)
    else:
        assert made == page, difference(page, made)


def test_reference_is_the_help_of_every_command() -> None:
    """The reference at the end of the page is what --help writes."""
    page = PAGE.read_text()
    made = _REFERENCE.sub(lambda _: reference(), page)
    if UPDATE:
        PAGE.write_text(made)
    else:
        assert made == page, difference(page, made)


def test_every_command_says_what_it_does() -> None:
    """Each command has a help text, and each option of it that is shown has one, too."""
    for ctx in every_command():
        assert ctx.command.help, ctx.command_path
        for param in ctx.command.params:
            assert not isinstance(param, click.Option) or param.hidden or param.help, f"{ctx.command_path} {param.opts}"
