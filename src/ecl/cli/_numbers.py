"""Numbers on the command line: whole numbers, seconds and rates."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["Rate", "Seconds", "WholeNumber"]


class WholeNumber(click.ParamType[int]):
    """A whole number between two bounds; an error names them."""

    name = "N"

    def __init__(self, lowest: int = 0, highest: int | None = None) -> None:
        self.lowest = lowest
        self.highest = highest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Raises BadParameter."""
        try:
            number = int(value)
        except ValueError:
            number = self.lowest - 1
        if number < self.lowest or (self.highest is not None and number > self.highest):
            bounds = f", {self.lowest} or more" if self.highest is None else f" from {self.lowest} to {self.highest}"
            self.fail(f"must be a whole number{bounds}, not {str(value)!r}.", param, ctx)
        return number


class Seconds(click.ParamType[float]):
    """A number of seconds greater than 0."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds. Raises BadParameter."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0
        if not seconds > 0:
            self.fail(f"must be a number of seconds greater than 0, not {str(value)!r}.", param, ctx)
        return seconds


class Rate(click.ParamType[int]):
    """Bytes per second: a number, with K, M or G for powers of 1000."""

    name = "RATE"
    _units = {"k": 10**3, "m": 10**6, "g": 10**9}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes per second. Raises BadParameter."""
        text = str(value).lower().removesuffix("/s").removesuffix("b")
        factor = self._units.get(text[-1:], 1)
        number = text if factor == 1 else text[:-1]
        try:
            rate = int(float(number) * factor)
        except (ValueError, OverflowError):
            rate = 0
        if rate < 1:
            self.fail(f"must be bytes per second, such as 500K or 20M, not {str(value)!r}.", param, ctx)
        return rate
