"""Base classes of all commands: common options in any position, and groups that import lazily."""

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
#: Values of --progress. Without a value it means auto, as in openstackclient.
PROGRESS = ("auto", "bar", "json", "none")


def take_common_options(ctx: click.Context, args: list[str], own: frozenset[str], *, whole: bool) -> list[str]:
    """
    Take the common options (``--os-…``, ``--debug`` and so on) out of *args*, and return the rest.

    Args:
        own: The command's own options, which are not taken out.
        whole: True reads all of *args*; false stops at the first word that is not an option: the subcommand.

    Raises:
        UsageError: An option has no value.
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
    """A command that talks to a cloud: it takes the common options as well as its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("epilog", "Options that choose the cloud, such as --os-cloud: see ecl --help.")
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out the common options, then parse the command's own."""
        own = frozenset(word for param in self.get_params(ctx) for word in (*param.opts, *param.secondary_opts))
        args = take_common_options(ctx, args, own, whole=True)
        if "--progress" not in own:
            return super().parse_args(ctx, args)
        rewritten = _with_value(args, "--progress", PROGRESS)
        try:
            return super().parse_args(ctx, rewritten)
        except click.UsageError as exc:
            if rewritten == args or "unexpected extra argument" not in exc.message:
                raise
            raise click.UsageError(f"{exc.message}; --progress takes one of: {', '.join(PROGRESS)}", ctx) from exc


def _with_value(args: list[str], option: str, values: tuple[str, ...]) -> list[str]:
    """Rewrite *option* as ``OPTION=auto`` unless one of its *values* follows."""
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
        Declare the subcommands without importing them.

        Args:
            table: For each name, ``module:attribute`` and one line of help.
            aliases: Other names, of one or two words, for names in *table*.
        """
        super().__init__(*args, **kwargs)
        self.table = dict(table or {})
        self.aliases = dict(aliases or {})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out the common options, then parse the group's own."""
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
        """Find the subcommand named by the first one or two words of *args*. Raises UsageError."""
        two_words = " ".join(args[:2])
        if two_words in self.aliases:
            return two_words, self.get_command(ctx, two_words), args[2:]
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        wrong = two_words if any(alias.startswith(f"{args[0]} ") for alias in self.aliases) else args[0]
        known = sorted({*self.table, *self.aliases})
        raise click.UsageError(f"There is no command {wrong!r}; {hint(wrong, known)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of subcommands without importing them."""
        others: dict[str, list[str]] = {}
        for alias, name in self.aliases.items():
            others.setdefault(name, []).append(alias)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(", ".join([name, *others.get(name, ())]), line) for name, (_, line) in self.table.items()]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the subcommands and options that begin with *incomplete*, without importing subcommands."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=line) for name, (_, line) in self.table.items() if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)
