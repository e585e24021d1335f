"""A download from the service beside nginx's sendfile: the same file, the same client, plain HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import Sample, alternate, cpu_of
from benchmarks.plan import Plan
from benchmarks.services import Target, curl_download, curl_upload, has, run_embedded, run_nginx

__all__ = ["nginx"]

_TITLE = "download with curl, the embedded service against nginx's sendfile"
_OURS, _THEIRS, _GOAL = "embedded service", "nginx", "0.25 CPU s a GB"
_GB = 1_000_000_000


def nginx(plan: Plan) -> Iterator[Figure]:
    """Download one image from both; curl throws it away."""
    if not has("nginx"):
        yield unavailable("nginx", _TITLE, "no nginx on the PATH", goal=1.1)
        return
    (path,) = plan.files("random")
    with run_embedded() as ours, run_nginx(plan.empty_folder("nginx"), {"image": path}) as theirs:
        images = ours.queued()
        curl_upload(ours, images, [path])
        samples = alternate({_OURS: partial(_get, ours, images), _THEIRS: partial(_get, theirs, ["image"])}, plan.runs)
    yield compare("nginx", _TITLE, samples, _OURS, _THEIRS, goal=1.1, note="Both send from the page cache.")
    gigabytes = path.stat().st_size / _GB
    samples[_GOAL] = [Sample(0, cpu=0.25 * gigabytes)] * plan.runs
    for key, theirs_name, goal in (("cpu", _GOAL, 1.0), ("cpu-nginx", _THEIRS, None)):
        yield compare(
            f"nginx.{key}",
            f"processor time of a download, the service alone, against {theirs_name}",
            samples,
            _OURS,
            theirs_name,
            goal=goal,
            by="cpu",
            unit="CPU s/GB",
            scale=1 / gigabytes,
        )


def _get(target: Target, images: list[str]) -> Sample:
    """Return the seconds of curl, and the processor time of the server."""
    before = cpu_of(target.pid)
    sample = curl_download(target, images, [Path(os.devnull)])
    # The clock of the processor counts in hundredths, and nothing may be divided by none.
    return Sample(sample.seconds, max(cpu_of(target.pid) - before, 0.01))
