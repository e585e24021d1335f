"""Draws the charts of a report: ``charts.py FOLDER STEM``. Runs in .venvs/plot, on what report.py has written."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

#: Told apart without colour, too: each bar has its number beside it.
_REACHED, _MISSED, _OTHERS = "#1b7837", "#b2182b", "#bdbdbd"
_OURS = ("ecl-image", "embedded service", "import ecl", "from ecl")


def main() -> None:
    """Draw both charts."""
    folder, stem = Path(sys.argv[1]), sys.argv[2]
    content = json.loads((folder / f"{stem}.json").read_text())
    figures = content["figures"]
    _goals([figure for figure in figures if figure["margin"] is not None], folder / f"{stem}-goals.png", stem)
    _medians([figure for figure in figures if len(figure["values"]) > 1], folder / f"{stem}-medians.png", stem)


def _goals(figures: list[dict[str, Any]], path: Path, stem: str) -> None:
    """One bar a figure: how far beyond its goal it is. The line at 1 is the goal."""
    fig, axes = plt.subplots(figsize=(12, 1.6 + 0.34 * max(1, len(figures))), layout="constrained")
    for position, figure in enumerate(figures):
        margin = figure["margin"]
        axes.barh(position, margin, color=_REACHED if figure["reached"] else _MISSED, height=0.7)
        median = statistics.median(figure["ratio"])
        sign = "≤" if figure["at_most"] else "≥"
        axes.annotate(
            f"{median:.3g} (goal {sign} {figure['goal']:.3g})",
            (max(margin, 1.0), position),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.axvline(1, color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ×"))
    axes.set_yticks(range(len(figures)), [figure["title"] for figure in figures], fontsize=8)
    axes.invert_yaxis()
    # Room for the numbers beside the bars.
    axes.set_xlim(right=3 * max([1.0, *(figure["margin"] for figure in figures)]))
    axes.set_xlabel("result in terms of its goal: the line is the goal, further right is better (logarithmic)")
    axes.set_title(f"ecl-image, figures against their goals ({stem}); red: missed")
    fig.savefig(path, dpi=110)


def _medians(figures: list[dict[str, Any]], path: Path, stem: str) -> None:
    """One small chart a figure: the median of each contender, and from the least to the most."""
    columns = 3
    rows = max(1, -(-len(figures) // columns))
    fig, grid = plt.subplots(rows, columns, figsize=(15, 2.1 * rows + 0.6), layout="constrained", squeeze=False)
    for axes, figure in zip(grid.flat, figures, strict=False):
        names = list(figure["values"])
        for position, name in enumerate(names):
            taken = figure["values"][name]
            median = statistics.median(taken)
            colour = _REACHED if name.startswith(_OURS) else _OTHERS
            error = [[median - min(taken)], [max(taken) - median]]
            axes.barh(position, median, xerr=error, color=colour, height=0.6, capsize=3)
            axes.annotate(
                f"{median:.3g}",
                (max(taken), position),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.invert_yaxis()
        # Room for the numbers beside the bars.
        axes.set_xlim(0, 1.25 * max(max(taken) for taken in figure["values"].values()))
        axes.set_xlabel(figure["unit"], fontsize=8)
        axes.tick_params(axis="x", labelsize=8)
        axes.set_title(_wrapped(figure["title"]), fontsize=9)
    for axes in list(grid.flat)[len(figures) :]:
        axes.set_visible(False)
    fig.suptitle(f"Medians, least and most of all runs ({stem}); ours in green")
    fig.savefig(path, dpi=110)


def _wrapped(text: str, width: int = 52) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


main()
