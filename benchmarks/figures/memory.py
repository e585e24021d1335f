"""Peak memory of client and service while an image is moved, over what each has when idle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.measure import rss, watch_peak
from benchmarks.plan import MIB, Plan
from benchmarks.services import Target, run_embedded, use

__all__ = ["memory"]

#: The larger image in terms of the smaller.
_TIMES = 8
_GOAL = 64


def memory(plan: Plan) -> Iterator[Figure]:
    """Upload and download an image, and one eight times as large."""
    values: dict[str, list[float]] = {}
    with run_embedded() as service:
        # What is loaded on first use is loaded before the idle state is looked at.
        _move(service, plan.zeros(MIB), plan.folder / "out-small", {})
        for size in (plan.size, _TIMES * plan.size):
            found: dict[str, float] = {}
            _move(service, plan.zeros(size), plan.folder / "out-large", found)
            for who, peak in found.items():
                values.setdefault(who, []).append(peak / MIB)
    note = f"Two values: an image of {plan.size // MIB} MiB, and one of {_TIMES * plan.size // MIB} MiB. One run each."
    for who, both in values.items():
        yield Figure(
            f"memory.{who.replace(' ', '-')}",
            f"peak memory over idle, {who}",
            "MiB",
            {who: both},
            [max(both)],
            "MiB, the larger of both",
            _GOAL,
            note=note,
        )
    growth = [max(0.0, large - small) for small, large in values.values()]
    yield Figure(
        "memory.growth",
        "peak memory, the larger image against the smaller: the largest growth of the four",
        "MiB",
        {"growth": growth},
        [max(growth)],
        "MiB more",
        8,
        note="The same for both sizes; 8 MiB are allowed for chance.",
    )


def _move(service: Target, source: Path, output: Path, found: dict[str, float]) -> None:
    images = service.queued()
    idle_client = use("ecl-image", service, "idle", touch=images[0]).peak
    for work, path in (("upload", source), ("download", output)):
        idle = rss(service.pid)
        sample, peak = watch_peak(
            service.pid,
            partial(use, "ecl-image", service, work, images=images, paths=[str(path)]),
        )
        found[f"client {work}"] = sample.peak - idle_client
        found[f"service {work}"] = peak - idle
    service.delete(images)
    for path in (source, output):
        path.unlink()
