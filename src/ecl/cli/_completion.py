"""Complete values in a shell: names of clouds, columns, sort keys; and the common options in any position."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["CloudName", "SortKeys", "columns_of", "one_of", "register", "starting_with"]


class CloudName(click.ParamType[str]):
    """The name of a cloud in clouds.yaml."""

    name = "CLOUD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the name."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Return the names that begin with *incomplete*."""
        return starting_with(_clouds(), incomplete)


class SortKeys(click.ParamType[str]):
    """Sort keys with commas between them, each perhaps with a direction; a shell completes the last key."""

    name = "KEY"

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the text; the cloud checks it."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Return *incomplete* with its last key completed."""
        before, comma, _ = incomplete.rpartition(",")
        return starting_with([f"{before}{comma}{key}" for key in self.keys], incomplete)


def one_of(words: Iterable[str]) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return a function that completes one of *words*."""
    return lambda _ctx, _param, incomplete: starting_with(words, incomplete)


def starting_with(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return those of *words* that begin with *incomplete*; no words that a terminal would obey."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in words if word.startswith(incomplete) and word.isprintable()]


def columns_of(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the keys of the columns that a command has declared, as far as they begin with *incomplete*."""
    del param
    return starting_with([column.key for column in getattr(ctx.command, "columns", ())], incomplete)


def _clouds() -> list[str]:
    """Return the names in clouds.yaml; none on any error, which a shell cannot show while it completes."""
    from ecl import config

    try:
        return config.cloud_names()
    except Exception:  # noqa: BLE001 - see above
        return []


def register() -> None:
    """Let the completion of each shell understand the common options in any position, and ``--option=value``."""
    from click import shell_completion

    for shell in ("bash", "zsh", "fish"):
        known = shell_completion.get_completion_class(shell)
        assert known is not None
        shell_completion.add_completion_class(type(known.__name__, (_AnyPosition, known), {}), shell)


class _AnyPosition:
    """Completion for a command line whose common options can stand anywhere."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it: bash splits ``--option=value`` into three."""
        words, incomplete = super().get_completion_args()  # type: ignore[misc]  # of click's class beside this one
        joined: list[str] = []
        for word in words:
            if joined and joined[-1].startswith("--") and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        if joined and incomplete == "=" and joined[-1].startswith("--"):
            incomplete = ""
        elif joined and joined[-1].startswith("--") and joined[-1].endswith("="):
            joined[-1] = joined[-1].removesuffix("=")
        return joined, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what fits at the cursor."""
        last = args[-1] if args else ""
        if last == "--os-cloud":
            return starting_with(_clouds(), incomplete)
        if last.startswith("--os-") and last not in ("--os-distro", "--os-version") and "=" not in last:
            # Its value, which nothing here knows.
            return []
        found: list[CompletionItem] = super().get_completions(args, incomplete)  # type: ignore[misc]  # as above
        return found
