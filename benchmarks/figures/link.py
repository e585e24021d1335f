"""A slow and distant link: parallel ranges, and what a killed download fetches again."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, compare
from benchmarks.measure import Failed, Sample, alternate, start_command
from benchmarks.plan import Plan
from benchmarks.services import Target, client_words, curl_upload, run_embedded, use
from benchmarks.slow_link import DELAY, RATE, SlowLink

__all__ = ["ranges", "resume"]

#: Connections that are asked for, and 0 for the automatic choice.
_CONNECTIONS = (8, 0)
#: Seconds in which a download must be half done, for every byte that it would take on the slow link.
_PATIENCE = 5.0


def ranges(plan: Plan) -> Iterator[Figure]:
    """Download over one connection, and over several."""
    with run_embedded() as service, SlowLink(service.address) as link:
        images = _stored(service, plan)
        far = service.at(link.url)
        contenders = {_name(count): partial(_download, far, images, plan, count) for count in (1, *_CONNECTIONS)}
        samples = alternate(contenders, plan.runs)
    for count in _CONNECTIONS:
        yield compare(
            f"ranges.{count or 'automatic'}",
            f"slow link ({RATE // 10**6} MB/s a connection, {DELAY * 1000:.0f} ms each way), {_name(count)}",
            samples,
            _name(count),
            _name(1),
            goal=3.5,
            at_most=False,
            note="A proxy of the benchmark's own. The time of the call, log-in not counted; verified.",
        )


def resume(plan: Plan) -> Iterator[Figure]:
    """Kill a download with SIGKILL when half of it has arrived, and start it again."""
    again: list[float] = []
    values: dict[str, list[float]] = {"bytes of the first try": [], "bytes of the second try": []}
    with run_embedded() as service:
        images = _stored(service, plan)
        for _ in range(plan.runs):
            with SlowLink(service.address) as link:
                target = plan.outputs("random")[0]
                first = _killed_half_way(service.at(link.url), link, images, target, plan.size)
                use("ecl-image", service.at(link.url), "download", images=images, paths=[str(target)])
                second = link.delivered() - first
            if target.read_bytes() != plan.files("random")[0].read_bytes():
                raise Failed("a resumed download is not the image")
            target.unlink()
            values["bytes of the first try"].append(first / plan.size)
            values["bytes of the second try"].append(second / plan.size)
            again.append(second / plan.size)
    yield Figure(
        "resume",
        "kill -9 at half of a download, then again: bytes of the second try",
        "of the image",
        values,
        again,
        "second try / image",
        0.55,
        note="Counted at the proxy, requests and headers included; the result is compared byte by byte.",
    )


def _name(count: int) -> str:
    return {0: "automatic choice", 1: "1 connection"}.get(count, f"{count} connections")


def _stored(service: Target, plan: Plan) -> list[str]:
    images = service.queued()
    curl_upload(service, images, plan.files("random"))
    return images


def _download(far: Target, images: list[str], plan: Plan, count: int) -> Sample:
    target = plan.outputs("random")[0]
    extra = {"connections": count} if count else {}
    sample = use("ecl-image", far, "download", images=images, paths=[str(target)], touch=images[0], **extra)
    target.unlink()
    return sample


def _killed_half_way(far: Target, link: SlowLink, images: list[str], target: Path, size: int) -> int:
    """Return how many bytes had come when the download was killed."""
    words = client_words("ecl-image", far, "download", images=images, paths=[str(target)], connections=1)
    deadline = time.monotonic() + _PATIENCE * (2 + size / RATE)
    with tempfile.NamedTemporaryFile(prefix="ecl-bench-") as report:
        process = start_command(words, Path(report.name))
        try:
            while link.delivered() < size / 2:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed("the download to be killed ended, or did not get half way")
                time.sleep(0.005)
        finally:
            process.terminate()
            process.communicate()
    return link.delivered()
