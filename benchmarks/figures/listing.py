"""Ten thousand images: to list them all, and to find one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import Sample, alternate
from benchmarks.plan import MIB, Plan
from benchmarks.services import embedded_target, fill, has, use
from ecl.testing import ImageService

__all__ = ["find", "listing"]


def listing(plan: Plan) -> Iterator[Figure]:
    """List all images with ours and with openstacksdk, and a tenth of them with ours."""
    count = plan.images
    with ImageService(regions=("jp1",)) as service:
        service.stop()
        fill(service, count)
        service.start()
        target = embedded_target(service)
        image = target.call("GET", "/v2/images?limit=1")["images"][0]["id"]

        def lists(client: str, **task: object) -> Callable[[], Sample]:
            return partial(use, client, target, "list", touch=image, **{"expected": count, **task})

        contenders = {client: lists(client) for client in ("ecl-image", "openstacksdk", "glanceclient") if has(client)}
        few = count // 10
        contenders["ecl-image, a tenth"] = lists("ecl-image", limit=few, expected=few)
        contenders["ecl-image, idle"] = partial(use, "ecl-image", target, "idle", touch=image)
        samples = alternate(contenders, plan.runs)
    for peer in ("openstacksdk", "glanceclient"):
        title = f"images(), {count} images, against {peer}"
        if peer not in samples:
            yield unavailable(f"listing.{peer}", title, "no .venvs/stock", goal=3, at_most=False)
            continue
        goal = 3 if peer == "openstacksdk" else None
        yield compare(f"listing.{peer}", title, samples, "ecl-image", peer, goal=goal, at_most=False)
        yield compare(
            f"listing.{peer}.memory",
            f"peak memory of {title}",
            samples,
            "ecl-image",
            peer,
            goal=None,
            by="peak",
            unit="MiB",
            scale=1 / MIB,
            note="Of the whole process.",
        )
    names = ("ecl-image, idle", "ecl-image, a tenth", "ecl-image")
    peaks = {name: [sample.peak / MIB for sample in samples[name]] for name in names}
    growth = [all_ - few for all_, few in zip(peaks["ecl-image"], peaks["ecl-image, a tenth"], strict=True)]
    yield Figure(
        "listing.growth",
        f"images(): memory that {count} images take beyond {few}",
        "MiB",
        peaks,
        growth,
        "MiB more",
        4,
        note="Independent of the number; 4 MiB are allowed for chance.",
    )


def find(plan: Plan) -> Iterator[Figure]:
    """Find by name the image that every listing has last."""
    count = plan.images
    title = f"find_image by name among {count}, against eclsdk"
    if not has("eclsdk"):
        yield unavailable("find", title, "no .venvs/eclsdk (Python 3.8)", goal=50, at_most=False)
        return
    with ImageService(regions=("jp1",)) as service:
        service.stop()
        fill(service, count)
        service.start()
        target = embedded_target(service)
        image = target.call("GET", "/v2/images?limit=1")["images"][0]["id"]
        # eclsdk sees only the newest images, one page of them: an older one it would not find at all.
        name = f"image-{max(0, count - 1000):05}"
        contenders = {
            client: partial(use, client, target, "find", name=name, touch=image) for client in ("ecl-image", "eclsdk")
        }
        samples = alternate(contenders, plan.runs)
    yield compare("find", title, samples, "ecl-image", "eclsdk", goal=50, at_most=False, note="The call, after log-in.")
