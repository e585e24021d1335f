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

#: Images that eclsdk asks for, all in one page.
_PAGE = 1000


def listing(plan: Plan) -> Iterator[Figure]:
    """List all images with ours and with openstacksdk, and a tenth of them with ours."""
    count = plan.images
    with ImageService(regions=("jp1",), testing=False) as service:
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
    """Find an image by name: the oldest of all, and the oldest that eclsdk's find_image looks at."""
    count = plan.images
    title = f"find_image by name among {count:,}"
    if not has("eclsdk"):
        yield unavailable("find", f"{title}, against eclsdk", "no .venvs/eclsdk (Python 3.8)", goal=50, at_most=False)
        return
    with ImageService(regions=("jp1",), testing=False) as service:
        service.stop()
        fill(service, count)
        service.start()
        target = embedded_target(service)
        image = target.call("GET", "/v2/images?limit=1")["images"][0]["id"]

        def finds(client: str, number: int, work: str = "find") -> Callable[[], Sample]:
            return partial(use, client, target, work, name=f"image-{number:05}", touch=image)

        newest = max(0, count - _PAGE)
        contenders = {
            "ecl-image, any": finds("ecl-image", 0),
            "eclsdk, paging": finds("eclsdk", 0, "search"),
            "ecl-image, new": finds("ecl-image", newest),
            "eclsdk, find_image": finds("eclsdk", newest),
        }
        samples = alternate(contenders, plan.runs)
    yield compare(
        "find",
        f"{title}, the oldest, against eclsdk",
        samples,
        "ecl-image, any",
        "eclsdk, paging",
        goal=50,
        at_most=False,
        note=f"The call, after log-in. eclsdk's find_image looks at the newest {_PAGE:,} alone: its user has to page.",
    )
    yield compare(
        "find.newest",
        f"{title}, one of the newest {_PAGE:,}, against eclsdk's find_image",
        samples,
        "ecl-image, new",
        "eclsdk, find_image",
        goal=None,
        at_most=False,
        note=f"eclsdk reads {_PAGE:,} images, whatever their number; ours asks for an ID, then for a name.",
    )
