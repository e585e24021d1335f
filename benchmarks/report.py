"""The table, as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.measure import Spread

__all__ = ["line", "markdown", "write"]


def write(folder: Path, stem: str, figures: Sequence[Figure], facts: Mapping[str, str]) -> None:
    """Write ``STEM.md`` and ``STEM.json``."""
    folder.mkdir(exist_ok=True)
    (folder / f"{stem}.md").write_text(markdown(stem, figures, facts), encoding="utf-8")
    content = {"facts": dict(facts), "figures": [_as_dict(figure) for figure in figures]}
    (folder / f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def line(figure: Figure) -> str:
    """Return one figure in one line for the terminal."""
    return f"{_verdict(figure):>13}  {figure.title}: {_ratio(figure)}, goal {_goal(figure)}"


def markdown(stem: str, figures: Sequence[Figure], facts: Mapping[str, str]) -> str:
    """Return the whole report."""
    lines = [f"# Figures of {stem}", "", "See [how to read them](../README.md).", ""]
    lines += ["| figure | result | goal | | medians (least to most) |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        values = "; ".join(f"{name} {_spread(Spread.of(taken))} {figure.unit}" for name, taken in _named(figure))
        cells = (figure.title, _ratio(figure), _goal(figure), _verdict(figure), values)
        lines.append("| " + " | ".join(cells) + " |")
    notes = {figure.note: None for figure in figures if figure.note}
    lines += ["", "## Notes", "", *[f"- {note}" for note in notes]]
    lines += ["", "## Charts", "", f"![ratio to goal]({stem}-goals.png)", "", f"![medians]({stem}-medians.png)"]
    lines += ["", "## Machine and versions", "", *[f"- {name}: {text}" for name, text in facts.items()], ""]
    return "\n".join(lines)


def _named(figure: Figure) -> list[tuple[str, Sequence[float]]]:
    return [(name, taken) for name, taken in figure.values.items() if taken]


def _ratio(figure: Figure) -> str:
    if figure.spread is None:
        return f"not available: {figure.missing}"
    return f"{_spread(figure.spread)} ({figure.ratio_of})"


def _spread(spread: Spread) -> str:
    if spread.least == spread.most:
        return f"**{_number(spread.median)}**"
    return f"**{_number(spread.median)}** ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return "none"
    return f"{'at most' if figure.at_most else 'at least'} {_number(figure.goal)}"


def _verdict(figure: Figure) -> str:
    if figure.spread is None:
        return "not available"
    return {None: "for interest", True: "reached", False: "missed"}[figure.reached]


def _as_dict(figure: Figure) -> dict[str, object]:
    return {
        "key": figure.key,
        "title": figure.title,
        "unit": figure.unit,
        "values": {name: list(taken) for name, taken in figure.values.items()},
        "ratio": list(figure.ratio),
        "ratio_of": figure.ratio_of,
        "goal": figure.goal,
        "at_most": figure.at_most,
        "reached": figure.reached,
        "margin": figure.margin,
        "note": figure.note,
        "missing": figure.missing,
    }
