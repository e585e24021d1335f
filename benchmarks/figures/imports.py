"""What an import costs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import Sample, alternate
from benchmarks.plan import Plan
from benchmarks.services import CLIENTS, has

__all__ = ["imports"]

_CODE = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
#: Short runs scatter: so many more of them than of long ones.
_TIMES = 4


def imports(plan: Plan) -> Iterator[Figure]:
    """Import the package, the connection, and openstacksdk."""
    ours = CLIENTS["ecl-image"][0]
    contenders = {
        "import ecl": lambda: _imported(ours, "import ecl"),
        "from ecl import connection": lambda: _imported(ours, "from ecl import connection"),
    }
    if has("openstacksdk"):
        contenders["import openstack"] = lambda: _imported(CLIENTS["openstacksdk"][0], "import openstack")
    samples = alternate(contenders, _TIMES * plan.runs)
    seconds = [sample.seconds for sample in samples["import ecl"]]
    yield Figure(
        "imports.ecl",
        "import ecl",
        "s",
        {"import ecl": seconds},
        seconds,
        "seconds",
        0.03,
        note="In a warm process of its own; the interpreter's start is not counted.",
    )
    title = "from ecl import connection, against import openstack"
    if "import openstack" not in samples:
        yield unavailable("imports.connection", title, "no .venvs/stock", goal=1 / 3)
        return
    yield compare("imports.connection", title, samples, "from ecl import connection", "import openstack", goal=1 / 3)


def _imported(venv: Path, statement: str) -> Sample:
    words: list[str | Path] = [venv / "bin" / "python", "-W", "ignore", "-c", _CODE.format(statement)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return Sample(float(done.stdout))
