"""Suggest the nearest valid word for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

__all__ = ["Choice", "hint"]


def hint(word: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """
    Return ``did you mean 'list'?``, or a list to choose from if no *known* word is similar.

    Args:
        listed: The words to list, if not all *known* ones.
    """
    import difflib

    words = list(known)
    near = difflib.get_close_matches(word.lower(), words, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(words if listed is None else listed)}"


class Choice(click.Choice[str]):
    """One of a few words; the error for a wrong one suggests the nearest."""

    def __init__(self, *choices: str) -> None:
        super().__init__(choices, case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word in its declared spelling. Raises BadParameter for an unknown one."""
        found = {choice.lower(): choice for choice in self.choices}.get(str(value).lower())
        if found is None:
            self.fail(f"{value!r} is not one of the choices; {hint(str(value), self.choices)}", param, ctx)
        return found
