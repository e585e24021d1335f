"""One line of the table: what was compared, with what result, and what was to be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.measure import Sample, Spread, ratios

__all__ = ["Figure", "compare", "unavailable"]


@dataclass(frozen=True, slots=True)
class Figure:
    """
    Attributes:
        key: What ``ONLY=`` takes, up to the first dot; whole, its name in files.
        unit: Of *values*: ``s``, ``MiB``, ``requests/s`` …
        values: Contender to what each run took; what is not counted has none.
        ratio: Run by run, ours against theirs; what *goal* is about.
        goal: The bound of *ratio*, in the words of *at_most*; None: shown for information.
        at_most: True if *ratio* must not be larger than *goal*, False if it must not be smaller.
        note: What to know about it.
        missing: Why it could not be measured.
    """

    key: str
    title: str
    unit: str = "s"
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ratio: Sequence[float] = ()
    ratio_of: str = ""
    goal: float | None = None
    at_most: bool = True
    note: str = ""
    missing: str = ""

    @property
    def spread(self) -> Spread | None:
        """The median ratio, the best and the worst."""
        return Spread.of(self.ratio) if self.ratio else None

    @property
    def reached(self) -> bool | None:
        """True if the median ratio holds the goal; None if there is no goal, or no ratio."""
        if self.spread is None or self.goal is None:
            return None
        return self.spread.median <= self.goal if self.at_most else self.spread.median >= self.goal

    @property
    def margin(self) -> float | None:
        """How far from the goal: 1 is on it, more is better, whichever way the ratio goes."""
        if self.spread is None or self.goal is None or not self.spread.median:
            return None
        return self.goal / self.spread.median if self.at_most else self.spread.median / self.goal


def compare(
    key: str,
    title: str,
    samples: Mapping[str, Sequence[Sample]],
    ours: str,
    theirs: str,
    *,
    goal: float | None,
    at_most: bool = True,
    by: str = "seconds",
    unit: str = "s",
    scale: float = 1.0,
    note: str = "",
) -> Figure:
    """
    Return the figure of two contenders.

    With *at_most* the ratio is ours to theirs; without, theirs to ours: how many times faster or smaller we are.
    """
    values = {name: [getattr(sample, by) * scale for sample in samples[name]] for name in (ours, theirs)}
    above, below = (ours, theirs) if at_most else (theirs, ours)
    ratio = ratios(values[above], values[below])
    return Figure(key, title, unit, values, ratio, f"{above} / {below}", goal, at_most, note)


def unavailable(key: str, title: str, why: str, *, goal: float | None = None, at_most: bool = True) -> Figure:
    """Return the figure of what cannot be measured here."""
    return Figure(key, title, goal=goal, at_most=at_most, missing=why)
