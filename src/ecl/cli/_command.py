"""Base classes of all commands: common options in any position, and groups that import lazily."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecl.cli._cloud import given
from ecl.cli._suggest import hint

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ecl.cli._output import Column

__all__ = ["Command", "LazyGroup", "take_common_options"]

T = TypeVar("T")

#: Most words of a name or an alias below one group.
_MOST_WORDS = 5
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
                if not words and ctx.resilient_parsing:
                    # A shell completes the value.
                    break
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
        #: The columns that a shell offers for -c.
        self.columns: Sequence[Column] = kwargs.pop("columns", ())
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out the common options, then parse the command's own."""
        own = frozenset(word for param in self.get_params(ctx) for word in (*param.opts, *param.secondary_opts))
        args = take_common_options(ctx, args, own, whole=True)
        _refuse_contradiction(ctx, self.get_params(ctx), args)
        if "--progress" not in own:
            return super().parse_args(ctx, args)
        rewritten = _with_value(args, "--progress", PROGRESS)
        try:
            return super().parse_args(ctx, rewritten)
        except click.UsageError as exc:
            if rewritten == args or "unexpected extra argument" not in exc.message:
                raise
            raise click.UsageError(f"{exc.message}; --progress takes one of: {', '.join(PROGRESS)}", ctx) from exc


def _refuse_contradiction(ctx: click.Context, params: Iterable[click.Parameter], args: Iterable[str]) -> None:
    """Raise UsageError if two flags among *args* give one setting two values: ``--public --private``."""
    options = {word: param for param in params for word in (*param.opts, *param.secondary_opts)}
    given: dict[str | None, tuple[str, object]] = {}
    words = iter(args)
    for word in words:
        option = options.get(word)
        if word == "--":
            return
        if not isinstance(option, click.Option):
            continue
        if not option.is_flag:
            # What follows is its value.
            next(words, None)
            continue
        value = (option.flag_value, word in option.secondary_opts)
        first, before = given.setdefault(option.name, (word, value))
        if before != value:
            raise click.UsageError(f"{first} and {word} contradict each other: give only one of them.", ctx)


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
    """
    A group that imports a subcommand's module only to run the subcommand or to show its help.

    A name of several words, such as ``member add``, is a subcommand of a group ``member``, which needs no module. If
    its first word is a subcommand itself, as in ``import info``, it stands beside that one.
    """

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]] | None = None,
        aliases: Mapping[str, str] | None = None,
        groups: Mapping[str, str] | None = None,
        sections: Mapping[str, Collection[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        """
        Declare the subcommands without importing them.

        Args:
            table: For each name, ``module:attribute`` and one line of help.
            aliases: Other names, of one or more words, for names in *table*. They work, and help does not show them.
            groups: One line of help for each group that the names in *table* form.
            sections: For each title in the help, the names in *table* that stand below it.
        """
        super().__init__(*args, **kwargs)
        self.table = dict(table or {})
        self.aliases = dict(aliases or {})
        self.groups = dict(groups or {})
        self.sections = dict(sections or {"Commands": list(self.table)})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out the common options, then parse the group's own."""
        own = frozenset(word for param in self.params if param.expose_value for word in param.opts)
        return super().parse_args(ctx, take_common_options(ctx, args, own, whole=False))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all subcommands and groups."""
        return list(dict.fromkeys(map(self._heading, self.table)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one subcommand, or return a group."""
        name = self.aliases.get(cmd_name, cmd_name)
        if name in self.table:
            module, _, attribute = self.table[name][0].partition(":")
            command = getattr(import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        below = _below(name, self.table)
        if not below:
            return None
        groups = _below(name, self.groups)
        return LazyGroup(name, table=below, groups=groups, help=self.groups[name], no_args_is_help=True)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand named by the first words of *args*. Raises UsageError."""
        for count in range(_MOST_WORDS, 1, -1):
            words = " ".join(args[:count])
            if len(args) >= count and (words in self.aliases or words in self.table):
                return words, self.get_command(ctx, words), args[count:]
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        wrong, listed = args[0], self.list_commands(ctx)
        known = sorted({*listed, *self.table, *self.aliases})
        if _below(wrong, self.aliases):
            wrong = " ".join(args[:2])
            known = listed = [alias for alias in known if alias.startswith(f"{args[0]} ")]
        raise click.UsageError(f"There is no command {wrong!r}; {hint(wrong, known, listed)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of subcommands without importing them."""
        width = max((len(self._heading(name)) for name in self.table), default=0)
        for title, names in self.sections.items():
            headings = dict.fromkeys(map(self._heading, names))
            with formatter.section(title):
                # All sections have one indent.
                formatter.write_dl([(name.ljust(width), self._line(name)) for name in headings])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the subcommands and options that begin with *incomplete*, without importing subcommands."""
        from click.shell_completion import CompletionItem

        # What no subcommand has taken: the first words of an alias, or a wrong word.
        before = [*ctx._protected_args, *ctx.args]
        if before:
            below = _below(" ".join(before), self.aliases)
            return [CompletionItem(word) for word in _first_words(below) if word.startswith(incomplete)]
        # A shell completes one word: "import info" is completed by "import".
        names = [name for name in self.list_commands(ctx) if " " not in name and name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._line(name)) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def _heading(self, name: str) -> str:
        """Return the name under which help lists *name*: its group's, if it is in one."""
        first = name.partition(" ")[0]
        return name if name in self.table and first in self.table else first

    def _line(self, name: str) -> str:
        if name in self.table:
            return self.table[name][1]
        return f"{self.groups[name]} ({', '.join(_first_words(_below(name, self.table)))})"


def _first_words(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.partition(" ")[0] for name in names))


def _below(group: str, names: Mapping[str, T]) -> dict[str, T]:
    """Return the part of *names* that belongs to *group*, without the group's name."""
    start = f"{group} "
    return {name.removeprefix(start): value for name, value in names.items() if name.startswith(start)}
