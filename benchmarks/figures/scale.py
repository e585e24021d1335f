"""A region with many images: first pages of lists beside Glance with the same rows, and the service's start."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from _pytest.outcomes import Skipped

from benchmarks.figure import Figure, unavailable
from benchmarks.fill import RARE_NAME, RARE_PROPERTY, RARE_TAG, fill, fill_glance, fill_glance_postgresql, filled_images
from benchmarks.measure import Failed, Sample, alternate, tree_cpu
from benchmarks.plan import Plan
from benchmarks.services import Target, embedded_target, has, run_peer
from ecl.testing import ImageService
from support.postgres import running_postgres

__all__ = ["scale"]

#: Milliseconds that a first page may take, and seconds that a start may.
_PAGE_GOAL = 10
_START_GOAL = 0.8
_OURS, _PEER = "embedded service", "Glance 33"
_NOTE = (
    "CPU time of service and database for the request over loopback, token and JSON included, both on the same kind of "
    "database; with Glance, a filter believes the token. The member owns 10 images and sees about 10 that others share."
)
#: The project of the tests' member in Glance, which `fill_glance` gives the few images.
_GLANCE_PROJECT = "a" * 32

_SHARED = {"visibility": "shared"}
#: Title to the query, of which the marker is added.
_QUERIES: Mapping[str, Mapping[str, str]] = {
    "no filter": {},
    "rare name": {"name": RARE_NAME},
    "rare tag": {"tag": RARE_TAG},
    "rare property": dict([RARE_PROPERTY]),
    "status=deactivated": {"status": "deactivated"},
    "shared, pending": {**_SHARED, "member_status": "pending"},
    "one day": {"created_at": "gte:2025-05-01", "updated_at": "lt:2025-05-02"},
    "sort=name": {"sort": "name:asc"},
    "sort=size": {"sort": "size:desc"},
    "sort=updated_at": {"sort": "updated_at:desc"},
    "deep marker": {"marker": ""},
    "deep marker, sort=name": {"sort": "name:asc", "marker": ""},
}


def scale(plan: Plan) -> Iterator[Figure]:
    """On each database: ask for first pages as a member with few images and as an administrator; then start again."""
    yield from _on(_Place("SQLite"), plan)
    try:
        with running_postgres() as server:
            yield from _on(_Place("PostgreSQL", server.create(), server.create()), plan)
    except Skipped as exc:
        yield unavailable("scale.postgresql", "the same on PostgreSQL", str(exc))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the rows are: a PostgreSQL database for us and one for Glance, or without URLs a file for each."""

    name: str
    ours: str | None = None
    theirs: str | None = None

    @property
    def server(self) -> int | None:
        """The main process of PostgreSQL."""
        if self.ours is None:
            return None
        folder = Path(self.ours.partition("?host=")[2])
        return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def _on(place: _Place, plan: Plan) -> Iterator[Figure]:
    count = plan.rows
    with ImageService(regions=("jp1",), database_url=place.ours, testing=False) as service:
        service.stop()
        with closing(service.database) as database:
            fill(database, "jp1", count, small=service.credentials()["project_id"])
        service.start()
        yield from _pages(place, service, count, plan.runs)
        seconds = [_start(service) for _ in range(plan.runs + 1)][1:]
        title = f"start with {count:,} images on {place.name}, to the first answer"
        key = f"scale.{place.name.lower()}.start"
        yield Figure(key, title, "s", {_OURS: seconds}, seconds, "s", _START_GOAL)


def _pages(place: _Place, service: ImageService, count: int, runs: int) -> Iterator[Figure]:
    # A public image, which everyone may use as a marker, and whose page everyone has to look for.
    marker = next(
        filled.image.id
        for number, filled in enumerate(filled_images(count))
        if number > count // 2
        and (filled.image.visibility, filled.image.status, filled.image.os_hidden) == ("public", "active", False)
    )
    ours = {"member": embedded_target(service), "administrator": _as_admin(service)}
    if not has("glance"):
        yield from _measure(place, ours, {}, marker, count, runs)
        return
    with run_peer(partial(_fill_peer, place, count), place.theirs) as member:
        admin = Target(member.endpoint, "token-of-admin", {})
        yield from _measure(place, ours, {"member": member, "administrator": admin}, marker, count, runs)


def _fill_peer(place: _Place, count: int, path: Path) -> None:
    if place.theirs is None:
        fill_glance(path, count, small=_GLANCE_PROJECT)
    else:
        fill_glance_postgresql(place.theirs, count, small=_GLANCE_PROJECT)


def _as_admin(service: ImageService) -> Target:
    token = service.connect(user="admin").session.get_token()
    assert token is not None
    return Target(embedded_target(service).endpoint, token, {})


def _measure(
    place: _Place, ours: Mapping[str, Target], theirs: Mapping[str, Target], marker: str, count: int, runs: int
) -> Iterator[Figure]:
    for who, target in ours.items():
        for number, (title, query) in enumerate(_QUERIES.items()):
            path = "/v2/images?" + urlencode({**query, "marker": marker} if "marker" in query else query)
            contenders: dict[str, Callable[[], Sample]] = {_OURS: partial(_ask, place, target, path)}
            if who in theirs:
                contenders[_PEER] = partial(_ask, place, theirs[who], path)
            samples = alternate(contenders, runs)
            values = {name: [sample.cpu * 1000 for sample in taken] for name, taken in samples.items()}
            yield Figure(
                f"scale.{place.name.lower()}.{who}.{number}",
                f"first page of {count:,} images on {place.name}, {who}: {title}",
                "ms",
                values,
                values[_OURS],
                "ms of CPU, embedded service",
                _PAGE_GOAL,
                note=_NOTE,
            )


def _ask(place: _Place, target: Target, path: str) -> Sample:
    """Ask three times over one connection; return the medians of time, and of CPU time of all but this process."""
    host, port = target.address
    prefix = target.endpoint.partition("://")[2].partition("/")[2]
    url = f"/{prefix}{path}" if prefix else path
    # All that runs below this process, of which one answers and the others are idle; and PostgreSQL.
    roots = [os.getpid(), *([place.server] if place.server else [])]
    taken, cpu = [], []
    with closing(http.client.HTTPConnection(host, port, timeout=600)) as connection:
        for _ in range(3):
            began, used = time.perf_counter(), tree_cpu(*roots) - time.process_time()
            connection.request("GET", url, headers={"X-Auth-Token": target.token})
            answer = connection.getresponse()
            body = answer.read()
            taken.append(time.perf_counter() - began)
            cpu.append(tree_cpu(*roots) - time.process_time() - used)
            if answer.status != 200 or "images" not in json.loads(body):
                raise Failed(f"{url}: {answer.status} {body[:200]!r}")
            if taken[-1] > 1:
                break
    return Sample(statistics.median(taken), statistics.median(cpu))


def _start(service: ImageService) -> float:
    service.stop()
    began = time.perf_counter()
    service.start()
    embedded = http.client.HTTPConnection("127.0.0.1", int(service.url.rpartition(":")[2]), timeout=60)
    with closing(embedded) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
    return time.perf_counter() - began
