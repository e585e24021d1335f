"""Each subcommand of ``openstack image …`` and of ``glance`` has its equivalent in ``ecl``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from clouds import EmbeddedCloud
from stock import Commands

from ecl.cli.main import cli

DOCS = Path(__file__).parents[2] / "docs" / "command.md"
BEGIN = "<!-- equivalents: begin; written by UPDATE_DOCS=1 and tests/clients/test_equivalents.py -->"
END = "<!-- equivalents: end -->"

#: For each subcommand: ours below ``ecl``, with the options (and arguments, in capitals) that make it equal.
OPENSTACK = {
    "cached image clear": "image cache clear",
    "cached image delete": "image cache delete",
    "cached image list": "image cache list",
    "cached image queue": "image cache queue",
    "image add project": "image member add",
    "image create": "image create --file --import",
    "image delete": "image delete",
    "image import": "image import --method --uri --store",
    "image import info": "image import info",
    "image list": "image list",
    "image member get": "image member show",
    "image member list": "image member list",
    "image metadef namespace create": "image metadef namespace create",
    "image metadef namespace delete": "image metadef namespace delete",
    "image metadef namespace list": "image metadef namespace list --resource-types --visibility",
    "image metadef namespace set": "image metadef namespace update",
    "image metadef namespace show": "image metadef namespace show",
    "image metadef namespace unset": "image metadef tag delete --all",
    "image metadef object create": "image metadef object create",
    "image metadef object delete": "image metadef object delete",
    "image metadef object list": "image metadef object list",
    "image metadef object property show": "image metadef object show --property",
    "image metadef object show": "image metadef object show",
    "image metadef object update": "image metadef object update",
    "image metadef property create": "image metadef property create",
    "image metadef property delete": "image metadef property delete",
    "image metadef property list": "image metadef property list",
    "image metadef property set": "image metadef property update",
    "image metadef property show": "image metadef property show",
    "image metadef resource type association create": "image metadef resource-type add",
    "image metadef resource type association delete": "image metadef resource-type remove",
    "image metadef resource type association list": "image metadef resource-type list NAMESPACE",
    "image metadef resource type list": "image metadef resource-type list",
    "image remove project": "image member remove",
    "image save": "image download --file",
    "image set": "image update",
    "image show": "image show",
    "image stage": "image stage --file",
    "image stores list": "image store list --detail",
    "image task list": "image task list --status --type",
    "image task show": "image task show",
    "image unset": "image unset --tag --property",
}
GLANCE = {
    "add-location": "image location add",
    "bash-completion": "completion SHELL",
    "cache-clean": "image cache clean",
    "cache-clear": "image cache clear --cache --queue",
    "cache-delete": "image cache delete",
    "cache-list": "image cache list",
    "cache-nodes-list": "image cache nodes",
    "cache-prune": "image cache prune",
    "cache-queue": "image cache queue",
    "explain": "image schema show SCHEMA",
    "help": "image --help",
    "image-create": "image create",
    "image-create-via-import": "image create --import",
    "image-deactivate": "image deactivate",
    "image-delete": "image delete IMAGES",
    "image-download": "image download --file",
    "image-import": "image import --method",
    "image-list": "image list",
    "image-reactivate": "image activate",
    "image-show": "image show",
    "image-stage": "image stage",
    "image-tag-delete": "image tag remove",
    "image-tag-update": "image tag add",
    "image-tasks": "image task list IMAGE",
    "image-update": "image update",
    "image-upload": "image upload",
    "import-info": "image import info",
    "location-add": "image location add --metadata --hash-algo --hash-value",
    "location-delete": "image location remove",
    "location-update": "image location set --metadata",
    "md-namespace-create": "image metadef namespace create",
    "md-namespace-delete": "image metadef namespace delete",
    "md-namespace-import": "image metadef namespace create --schema",
    "md-namespace-list": "image metadef namespace list",
    "md-namespace-objects-delete": "image metadef object delete --all",
    "md-namespace-properties-delete": "image metadef property delete --all",
    "md-namespace-resource-type-list": "image metadef resource-type list NAMESPACE",
    "md-namespace-show": "image metadef namespace show --resource-type",
    "md-namespace-tags-delete": "image metadef tag delete --all",
    "md-namespace-update": "image metadef namespace update",
    "md-object-create": "image metadef object create --schema",
    "md-object-delete": "image metadef object delete",
    "md-object-list": "image metadef object list",
    "md-object-property-show": "image metadef object show --property",
    "md-object-show": "image metadef object show",
    "md-object-update": "image metadef object update --schema",
    "md-property-create": "image metadef property create --title --schema",
    "md-property-delete": "image metadef property delete",
    "md-property-list": "image metadef property list",
    "md-property-show": "image metadef property show",
    "md-property-update": "image metadef property update --title --schema",
    "md-resource-type-associate": "image metadef resource-type add --prefix",
    "md-resource-type-deassociate": "image metadef resource-type remove",
    "md-resource-type-list": "image metadef resource-type list",
    "md-tag-create": "image metadef tag create",
    "md-tag-create-multiple": "image metadef tag create NAMES --replace",
    "md-tag-delete": "image metadef tag delete",
    "md-tag-list": "image metadef tag list",
    "md-tag-show": "image metadef tag show",
    "md-tag-update": "image metadef tag update --name",
    "member-create": "image member add",
    "member-delete": "image member remove",
    "member-get": "image member show",
    "member-list": "image member list",
    "member-update": "image member set",
    "stores-delete": "image store remove",
    "stores-info": "image store list --detail",
    "task-create": "image task create --type --input",
    "task-list": "image task list --sort-key --sort-dir",
    "task-show": "image task show",
    "usage": "image usage",
}


@pytest.mark.parametrize(("program", "equivalents"), [("openstack", OPENSTACK), ("glance", GLANCE)])
def test_every_subcommand_has_an_equivalent(embedded: EmbeddedCloud, program: str, equivalents: dict[str, str]) -> None:
    """What the installed program lists stands in the table: a subcommand that is new to it needs a line there."""
    with Commands(embedded, program) as running:
        assert set(running.verbs) == set(equivalents)


@pytest.mark.parametrize("line", sorted({*OPENSTACK.values(), *GLANCE.values()}))
def test_equivalent_is_there(line: str) -> None:
    """The command runs under that name, and has those options and arguments."""
    ctx = _context(line.split())
    known = set(_parameters(ctx))

    assert not isinstance(ctx.command, click.Group) or "--help" in line
    for word in line.split():
        if word.startswith("--") or word.isupper():
            assert word in known, f"{ctx.command_path} has no {word}"


def test_docs_have_the_table() -> None:
    """docs/command.md says which command of ours stands for each of theirs; UPDATE_DOCS=1 writes it."""
    text = DOCS.read_text()
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    lines = ["", ""]
    for program, equivalents in (("openstack", OPENSTACK), ("glance", GLANCE)):
        lines += [f"| `{program} …` | `ecl …` |", "| --- | --- |"]
        lines += [f"| `{theirs}` | `{ours}` |" for theirs, ours in equivalents.items()]
        lines.append("")
    table = "\n".join([*lines, ""])
    if os.environ.get("UPDATE_DOCS"):
        DOCS.write_text(text[:start] + table + text[end:])

    assert DOCS.read_text()[start:].startswith(table + END)


def _context(words: list[str]) -> click.Context:
    """Follow the commands in *words*, as when they are run."""
    ctx = click.Context(cli, info_name="ecl", **cli.context_settings)
    rest = [word for word in words if not word.startswith("--") and not word.isupper()]
    while rest:
        assert isinstance(ctx.command, click.Group), f"{ctx.command_path} has no command {rest[0]}"
        name, command, rest = ctx.command.resolve_command(ctx, rest)
        assert command is not None
        ctx = click.Context(command, parent=ctx, info_name=name)
    return ctx


def _parameters(ctx: click.Context) -> Iterator[str]:
    for param in ctx.command.get_params(ctx):
        if isinstance(param, click.Option):
            yield from param.opts
        elif param.name is not None:
            yield param.name.upper()
