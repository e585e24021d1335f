"""What all commands share: options that may stand anywhere, lazy groups, and the nearest word for a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from ecl.cli._cloud import given
from ecl.cli._suggest import hint

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["Command", "LazyGroup", "take_common_options"]

_FLAGS = {"--debug": "debug", "--timing": "timing"}
#: Values of --progress; without one it stands alone, as in openstackclient.
PROGRESS = ("auto", "bar", "json", "none")


def take_common_options(ctx: click.Context, args: list[str], own: frozenset[str], *, whole: bool) -> list[str]:
    """
    Take ``--os-…``, ``--debug`` and the like out of *args*, and return the rest.

    Args:
        own: Options that the command itself has, which stay.
        whole: False stops at the first word that is no option: there a subcommand begins.

    Raises:
        UsageError: An option lacks its value.
    """
    settings = given(ctx)
    rest: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word == "--" or (not whole and not word.startswith("-")):
            return [*rest, word, *words]
        if name in own:
            rest.append(word)
        elif word in _FLAGS:
            setattr(settings, _FLAGS[word], True)
        elif word == "--no-token-cache":
            settings.token_cache = False
        elif word in ("--insecure", "--verify"):
            settings.options["insecure"] = word == "--insecure"
        elif name.startswith("--os-") and len(name) > len("--os-"):
            if not equals:
                if not words:
                    raise click.UsageError(f"Option {name!r} requires an argument.", ctx)
                value = words.pop(0)
            settings.options[name.removeprefix("--os-").replace("-", "_")] = value
        else:
            rest.append(word)
    return rest


class Command(click.Command):
    """A command of a cloud: beside its own options it takes those that all of them have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("epilog", "The cloud is chosen by --os-cloud, OS_* variables and the like: see ecl --help.")
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out what all commands have, then parse the command's own."""
        own = frozenset(word for param in self.get_params(ctx) for word in (*param.opts, *param.secondary_opts))
        args = take_common_options(ctx, args, own, whole=True)
        if "--progress" in own:
            args = _with_value(args, "--progress", PROGRESS)
        return super().parse_args(ctx, args)


def _with_value(args: list[str], option: str, values: tuple[str, ...]) -> list[str]:
    """Write *option* without one of its *values* behind it as ``OPTION=auto``."""
    result = list(args)
    for index, word in enumerate(args):
        if word == "--":
            break
        if word == option and (index + 1 == len(args) or args[index + 1] not in values):
            result[index] = f"{option}=auto"
    return result


class LazyGroup(click.Group):
    """A group that imports a subcommand's module only to run the subcommand or to show its help."""

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]] | None = None,
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Know the subcommands without importing them.

        Args:
            table: Name to ``module:attribute`` and a line of help.
            aliases: Other names, of one word or two, to names in *table*.
        """
        super().__init__(*args, **kwargs)
        self.table = dict(table or {})
        self.aliases = dict(aliases or {})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out what all commands have, then parse the group's own."""
        own = frozenset(word for param in self.params if param.expose_value for word in param.opts)
        return super().parse_args(ctx, take_common_options(ctx, args, own, whole=False))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all subcommands."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one subcommand."""
        name = self.aliases.get(cmd_name, cmd_name)
        if name not in self.table:
            return None
        module, _, attribute = self.table[name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that *args* begin with, by one word or two. Raises UsageError."""
        two = " ".join(args[:2])
        if two in self.aliases:
            return two, self.get_command(ctx, two), args[2:]
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        wrong = two if any(each.startswith(f"{args[0]} ") for each in self.aliases) else args[0]
        known = sorted({*self.table, *self.aliases})
        raise click.UsageError(f"There is no command {wrong!r}; {hint(wrong, known)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of subcommands without importing any."""
        others: dict[str, list[str]] = {}
        for alias, name in self.aliases.items():
            others.setdefault(name, []).append(alias)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(", ".join([name, *others.get(name, ())]), line) for name, (_, line) in self.table.items()]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return subcommands that begin with *incomplete*, without importing any, and options."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=line) for name, (_, line) in self.table.items() if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)
