"""Small images: what creating one takes when the bytes themselves take no time."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figure import Figure, compare
from benchmarks.measure import Sample, alternate
from benchmarks.plan import Plan
from benchmarks.services import Target, run_embedded, use

__all__ = ["create_64k"]

#: Images of one run.
_COUNT = 100
_SIZE = 64 << 10
_NAME = "bench-small"
_OURS, _GOAL = "ecl-image", "6 ms"


def create_64k(plan: Plan) -> Iterator[Figure]:
    """Create images of 64 KiB, one after the other, with the SDK and the embedded service on one machine."""
    with run_embedded() as service:
        samples = alternate({_OURS: lambda: _create(service)}, plan.runs)
    samples[_GOAL] = [Sample(0.006)] * plan.runs
    yield compare(
        "create-64k",
        "create_image() with 64 KiB of data",
        samples,
        _OURS,
        _GOAL,
        goal=1.0,
        unit="ms",
        scale=1000,
        note=f"The mean of {_COUNT} in a row: three requests, durable and verified.",
    )


def _create(service: Target) -> Sample:
    touch = service.queued()
    try:
        sample = use("ecl-image", service, "create_small", name=_NAME, size=_SIZE, count=_COUNT, touch=touch[0])
    finally:
        made = service.call("GET", f"/v2/images?name={_NAME}&limit=1000")["images"]
        service.delete([*touch, *(image["id"] for image in made)])
    return Sample(sample.seconds / _COUNT, sample.cpu / _COUNT)
