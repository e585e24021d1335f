"""``make bench``: every figure in one run, side by side; the table, the JSON and the charts."""

from __future__ import annotations

import argparse
import datetime
import mmap
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import report
from benchmarks.figure import Figure, unavailable
from benchmarks.figures import commands, imports, kit, link, listing, memory, nginx, requests, scale, small, transfer
from benchmarks.machine import describe, short_name
from benchmarks.measure import Failed
from benchmarks.plan import MIB, Plan, parse_size
from benchmarks.services import VENVS

__all__ = ["main"]

_HERE = Path(__file__).parent
#: What ``ONLY=`` takes, in the order in which they are run.
_SUBJECTS: dict[str, Callable[[Plan], Iterator[Figure]]] = {
    "imports": imports.imports,
    "commands": commands.commands,
    "upload": transfer.upload,
    "upload-glance": transfer.upload_glance,
    "download": transfer.download,
    "nginx": nginx.nginx,
    "create-64k": small.create_64k,
    "memory": memory.memory,
    "ranges": link.ranges,
    "resume": link.resume,
    "listing": listing.listing,
    "find": listing.find,
    "requests": requests.requests,
    "scale": scale.scale,
    "kit": kit.kit,
}


def main() -> int:
    """Measure what is asked for; return 0 unless a measurement failed. A goal that is missed is no failure."""
    options = _options()
    subjects = options.only.split(",") if options.only else list(_SUBJECTS)
    figures: list[Figure] = []
    failed = False
    facts = {**describe(), "image": f"{options.size // MIB} MiB", "runs": f"{options.runs}, after one to warm up"}
    with tempfile.TemporaryDirectory(prefix="ecl-bench-") as folder:
        plan = Plan(options.size, options.runs, Path(folder), options.scale, options.rows)
        _warm_memory(plan)
        for subject in subjects:
            began = time.monotonic()
            try:
                for figure in _SUBJECTS[subject](plan):
                    figures.append(figure)
                    print(report.line(figure).replace("**", ""), flush=True)
            except (Failed, subprocess.SubprocessError, OSError, AssertionError) as exc:
                failed = True
                figures.append(unavailable(subject, subject, "the measurement failed"))
                print(f"{subject} failed: {exc}", file=sys.stderr, flush=True)
            facts[f"time for {subject}"] = f"{time.monotonic() - began:.0f} s"
    facts["load after"] = f"{os.getloadavg()[0]:.1f}"
    _write(options.results, figures, facts)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", type=parse_size, default="1G", help="of the image: 256M, 1G")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each contender")
    parser.add_argument("--only", help=f"subjects, with commas: {','.join(_SUBJECTS)}")
    parser.add_argument("--scale", type=int, default=1, help="divide the 10,000 images by this, for a quick look")
    parser.add_argument("--rows", type=int, default=100_000, help="images of the largest region, for scale")
    parser.add_argument("--results", type=Path, default=_HERE / "results", help="folder of the reports")
    options = parser.parse_args()
    for subject in (options.only or "").split(","):
        if subject and subject not in _SUBJECTS:
            parser.error(f"no subject {subject!r}; there are: {', '.join(_SUBJECTS)}")
    if options.runs < 1 or options.scale < 1:
        parser.error("--runs and --scale begin at 1")
    return options


def _warm_memory(plan: Plan) -> None:
    """
    Take as much memory as the files will, and give it back.

    A virtual machine's first use of a page costs many times what the second does: whoever came first would pay.
    """
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = min(12 * plan.size, available // 2)
    worker = multiprocessing.Process(target=_touch, args=(size,))
    worker.start()
    worker.join()


def _touch(size: int) -> None:
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass


def _write(folder: Path, figures: list[Figure], facts: dict[str, str]) -> None:
    stem = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}-{short_name()}"
    report.write(folder, stem, figures, facts)
    print(f"{folder.name}/{stem}.md and .json written", flush=True)
    python = VENVS / "plot" / "bin" / "python"
    if not python.exists():
        print("no charts: .venvs/plot is not there (benchmarks/prepare)", file=sys.stderr)
        return
    subprocess.run([python, _HERE / "charts.py", folder, stem], check=True)


if __name__ == "__main__":
    sys.exit(main())
