"""How many statements a request is for PostgreSQL: each is a round trip, which takes longer than most of them run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from ecl.server.settings.model import ImageLimits
from ecl.testing import ImageService
from support.postgres import Postgres
from support.region_service import Client, RegionService, run_region

RAW = {"disk_format": "raw", "container_format": "bare", "os_distro": "debian", "tags": ["a", "b"]}
#: Every quota is set, so that each is checked.
LIMITS = ImageLimits(image_count_total=100, image_size_total=100, image_stage_total=100, image_count_uploading=100)


@pytest.fixture
def new_region(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ImageLimits], Any]:
    """A function that runs a region whose database is there."""
    monkeypatch.setattr(ImageService, "_default_database_url", staticmethod(postgres.url_of))
    return lambda limits: run_region(tmp_path, limits=limits, node_lease=600)


@pytest.fixture
def region(new_region: Callable[[ImageLimits], Any]) -> Iterator[RegionService]:
    """A region without quotas."""
    with new_region(ImageLimits()) as service:
        yield service


class _Counter:
    """Counts the statements about images, and the transactions, of one request; jobs are looked for all the time."""

    def __init__(self, region: RegionService) -> None:
        self.statements: list[str] = []
        event.listen(region.database.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM tasks" not in statement:
            self.statements.append(" ".join(statement.split()))

    def of(self, call: Callable[[], Any]) -> int:
        """Return how many statements *call* was."""
        self.statements.clear()
        call()
        return len(self.statements)


def test_reading_one_image(region: RegionService, alpha: Client) -> None:
    """An image with all that belongs to it is one statement; a download also asks which copies are damaged."""
    image = alpha.active(**{name: RAW[name] for name in ("os_distro", "tags")})
    counter = _Counter(region)
    assert counter.of(lambda: alpha.show(image["id"])) == 1
    assert counter.of(lambda: alpha.get(f"/v2/images/{image['id']}/file")) == 2


def test_listing(region: RegionService, alpha: Client) -> None:
    """A page is four statements, however many images it has."""
    counter = _Counter(region)
    for _ in range(2):
        alpha.create(**RAW)
        alpha.active()
        assert counter.of(alpha.list_ids) == 4


@pytest.mark.parametrize(("limits", "create", "upload"), [(ImageLimits(), 5, 12), (LIMITS, 7, 18)])
def test_filling_an_image(
    new_region: Callable[[ImageLimits], Any], limits: ImageLimits, create: int, upload: int
) -> None:
    """Creating and uploading take a fixed number of statements; quotas add two for each check."""
    with new_region(limits) as region:
        alpha = region.client("alpha")
        counter = _Counter(region)
        for _ in range(2):
            counter.statements.clear()
            image = alpha.create(**RAW)
            assert len(counter.statements) == create
            assert counter.of(partial(alpha.upload, image["id"], b"x" * 1000)) == upload


def test_changing_an_image(region: RegionService, alpha: Client) -> None:
    """A PATCH is two statements to read, two to write and two to show; a tag is two and two."""
    image_id = alpha.create(**RAW)["id"]
    counter = _Counter(region)
    changes = [{"op": "replace", "path": "/name", "value": "x"}, {"op": "add", "path": "/p", "value": "y"}]
    assert counter.of(lambda: alpha.patch(image_id, *changes)) == 6
    assert counter.of(lambda: alpha.request("PUT", f"/v2/images/{image_id}/tags/t")) == 4
