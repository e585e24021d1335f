"""Requests a second, measured with wrk, beside Glance with as many workers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import Failed, Sample, alternate
from benchmarks.plan import Plan
from benchmarks.services import Target, has, run_embedded, run_peer, wrk

__all__ = ["requests"]

#: Images of the page, as many as one page may have.
_PAGE = 1000
#: Seconds of one run, and connections at once.
_SECONDS = 5
_CONNECTIONS = 8
_TITLES = {"get": "GET one image", "list": f"list a page of {_PAGE:,} images"}


def requests(plan: Plan) -> Iterator[Figure]:
    """Ask both services for one image, and for a full page."""
    why = "no wrk on the PATH" if not shutil.which("wrk") else "" if has("glance") else "no Glance in .venvs"
    if why:
        for key, title in _TITLES.items():
            yield unavailable(f"requests.{key}", f"{title}, requests a second", why, goal=5, at_most=False)
        return
    with run_embedded() as ours, run_peer() as glance:
        one = {target.endpoint: target.queued(count=_PAGE)[0] for target in (ours, glance)}
        for key, title in _TITLES.items():

            def load(target: Target, key: str = key) -> Callable[[], Sample]:
                path = f"/v2/images/{one[target.endpoint]}" if key == "get" else f"/v2/images?limit={_PAGE}"
                return lambda: _load(target, path)

            samples = alternate({"embedded service": load(ours), "Glance 33": load(glance)}, plan.runs)
            figure = compare(f"requests.{key}", title, samples, "embedded service", "Glance 33", goal=5, at_most=False)
            rates = {name: [1 / value for value in values] for name, values in figure.values.items()}
            yield Figure(
                figure.key,
                f"{title}, one process each, {_CONNECTIONS} connections",
                "requests/s",
                rates,
                figure.ratio,
                "embedded service / Glance 33",
                figure.goal,
                at_most=False,
                note=f"wrk on the same two cores, {_SECONDS} s a run; Glance asks no Keystone, ours checks the token.",
            )


def _load(target: Target, path: str) -> Sample:
    """Return the seconds that one request took on average."""
    text = wrk(target, path, _SECONDS, _CONNECTIONS)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if rate is None or "Non-2xx" in text or not float(rate[1]):
        raise Failed(f"wrk: {text}")
    return Sample(1 / float(rate[1]))
