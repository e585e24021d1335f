"""Complete values in a shell: names of clouds, columns, sort keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["CloudName", "SortKeys", "cloud_names", "columns_of", "one_of", "starting_with"]


class CloudName(click.ParamType[str]):
    """The name of a cloud in clouds.yaml."""

    name = "CLOUD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the name."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Return the names that begin with *incomplete*."""
        return starting_with(cloud_names(), incomplete)


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


def cloud_names() -> list[str]:
    """Return the names in clouds.yaml; none on any error, which a shell cannot show while it completes."""
    from ecl import config

    try:
        return config.cloud_names()
    except Exception:  # noqa: BLE001 - see above
        return []
