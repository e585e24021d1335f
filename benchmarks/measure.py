"""Time, processor and memory of processes, and what several runs of them say."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Failed",
    "Sample",
    "Spread",
    "alternate",
    "command",
    "cpu_of",
    "ratios",
    "rss",
    "start_command",
    "tree_cpu",
    "watch_peak",
]

_LAUNCH = Path(__file__).with_name("launch.py")
#: Seconds that one command may take.
_LIMIT = 1800


class Failed(Exception):
    """What was to be measured did not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """
    One run.

    Attributes:
        seconds: Wall clock of the work itself: the call in the client's process, or the process where the process is
            what people run.
        cpu: Processor seconds of the work itself, all threads, user and system.
        process_seconds: Wall clock of the whole process, start and imports included.
        process_cpu: Processor seconds of the whole process.
        peak: Largest resident memory of the process, bytes.
    """

    seconds: float
    cpu: float = 0.0
    process_seconds: float = 0.0
    process_cpu: float = 0.0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several values, the smallest and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of *values*, of which there is at least one."""
        return cls(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """
    Divide run by run.

    Both were measured in turn, so what slowed the machine down for a while is in both, and goes out.
    """
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def alternate(
    contenders: Mapping[str, Callable[[], Sample]], runs: int, *, warm_up: int = 1
) -> dict[str, list[Sample]]:
    """
    Run all *contenders* in turn, A B A B, *runs* times each after *warm_up* rounds that do not count.

    Every other round goes backwards, so that nobody always comes after the same neighbour. What the round before has
    written is on the disk before the next begins.
    """
    taken: dict[str, list[Sample]] = {name: [] for name in contenders}
    for number in range(-warm_up, runs):
        order = list(contenders.items())
        for name, run in order if number % 2 == 0 else reversed(order):
            os.sync()
            sample = run()
            if number >= 0:
                taken[name].append(sample)
    return taken


def start_command(
    words: Sequence[str | Path], report: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command under the launcher, which writes to *report* at its end; terminate() kills the command."""
    launcher = [sys.executable, "-I", "-S", str(_LAUNCH), str(report), *map(str, words)]
    return subprocess.Popen(launcher, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


def command(words: Sequence[str | Path], env: Mapping[str, str] | None = None) -> Sample:
    """
    Run a command to its end.

    A client of ``clients/`` prints what its call alone took; that is then *seconds* and *cpu*.

    Raises:
        Failed: It ended with an error.
    """
    with tempfile.NamedTemporaryFile(prefix="ecl-bench-") as report:
        process = start_command(words, Path(report.name), env)
        try:
            output, errors = process.communicate(timeout=_LIMIT)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            raise Failed(f"{Path(words[0]).name} ended with {process.returncode}: {errors.decode()[-2000:]}")
        used = json.load(report)
    inner = json.loads(output) if output.startswith(b"{") else used
    return Sample(inner["seconds"], inner["cpu"], used["seconds"], used["cpu"], used["peak"])


def tree_cpu(*roots: int) -> float:
    """Return the processor seconds of these processes and all their living descendants, up to now."""
    used, waiting = 0, list(roots)
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").glob("*"):
            # A process or thread may end at any moment.
            with suppress(OSError):
                used += int((task / "schedstat").read_text().split()[0])
                waiting += map(int, (task / "children").read_text().split())
    return used / 1e9


def rss(pid: int) -> int:
    """Return the resident memory of a process now, bytes."""
    return _status(pid, "VmRSS")


def cpu_of(pid: int) -> float:
    """Return the processor seconds that a process has used so far, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch_peak(pid: int, work: Callable[[], Sample]) -> tuple[Sample, int]:
    """Do *work*; return what it took, and the largest resident memory of process *pid* meanwhile, bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    sample = work()
    return sample, _status(pid, "VmHWM")


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise Failed(f"process {pid} has no {field}")
