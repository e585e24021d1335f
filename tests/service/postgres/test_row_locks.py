"""Writers on PostgreSQL wait for the row that they share with another one, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ecl.server.clock import MICROSECONDS, now
from ecl.server.db.engine import Database, DatabaseError, retried
from ecl.server.db.images import fetch_image, insert_image, update_image
from ecl.server.db.leases import IMPORTS
from ecl.server.db.metadefs import insert_namespace
from ecl.server.db.recount import recount_all
from ecl.server.domain.image import Image
from ecl.server.domain.metadef import Namespace
from ecl.server.errors import Forbidden
from ecl.server.identity.local import application_credentials as credentials
from ecl.server.identity.local import directory, tokens
from ecl.server.settings.model import ImageLimits
from ecl.testing import ImageService
from support.postgres import Postgres
from support.region_service import Client, RegionService, poll, run_region

ID = "6a9c4f5e-54e5-4d6b-9b0b-5f60a6b5b2b1"
RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture(autouse=True)
def _on_postgresql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each region has a database there, whichever the other tests have."""
    monkeypatch.setattr(ImageService, "_default_database_url", staticmethod(postgres.url_of))


@pytest.fixture
def user(region: RegionService) -> directory.User:
    """A user with the project demo."""
    with region.database.write() as connection:
        made = directory.create_user(connection, "someone", None)
        directory.create_project(connection, "demo", "jp1")
    return made


@contextmanager
def _waiting(database: Database, call: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Let *call* run in a thread until it waits for the transaction of the block; its result is there afterwards."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(call)
        poll(lambda: _waiters(database) == 1)
        yield result


def _waiters(database: Database) -> int:
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
    with database.read() as connection:
        found: int = connection.execute(text(f"{waiting} AND datname = current_database()")).scalar_one()
    return found


# --- images ---------------------------------------------------------------------------------------------------


def test_writers_of_other_images_go_on(region: RegionService, alpha: Client) -> None:
    """While one image is being changed, all others of its project can be."""
    held, other = alpha.create()["id"], alpha.create(**RAW)["id"]
    with region.database.write() as connection:
        fetch_image(connection, "jp1", held)
        assert alpha.patch(other, {"op": "add", "path": "/a", "value": "1"}).status_code == 200
        assert alpha.request("PUT", f"/v2/images/{other}/tags/t").status_code == 204
        assert alpha.upload(other, b"x").status_code == 204
        assert alpha.request("POST", "/v2/images", json={}).status_code == 201
        assert alpha.request("DELETE", f"/v2/images/{other}").status_code == 204


def test_writers_of_one_image_wait(region: RegionService, alpha: Client) -> None:
    """A change that had to wait for another one is made on top of it."""
    image_id = alpha.create()["id"]
    with ExitStack() as stack:
        with region.database.write() as connection:
            before = fetch_image(connection, "jp1", image_id)
            assert before is not None
            operation = {"op": "add", "path": "/theirs", "value": "1"}
            answer = stack.enter_context(_waiting(region.database, lambda: alpha.patch(image_id, operation)))
            after = before.copy()
            after.properties["ours"] = "2"
            update_image(connection, "jp1", before, after)
        assert answer.result().status_code == 200

    shown = alpha.show(image_id)
    assert (shown["ours"], shown["theirs"]) == ("2", "1")


def test_an_id_in_use_since_a_moment(region: RegionService, alpha: Client) -> None:
    """A client that asks for an ID which another transaction is about to use is 409, and nothing of it is left."""
    with ExitStack() as stack:
        with region.database.write() as connection:
            insert_image(connection, "jp1", Image(ID, "queued", "shared", 1, 1))
            body = {"id": ID, "tags": ["t"]}
            answer = stack.enter_context(
                _waiting(region.database, lambda: alpha.request("POST", "/v2/images", json=body))
            )
        assert answer.result().status_code == 409
    assert recount_all(region.database, "jp1") == []


def test_a_quota_holds_for_those_who_wait(tmp_path: Path) -> None:
    """A client that waits for its project's usage is told of the quota as it is then."""
    with run_region(tmp_path, limits=ImageLimits(image_count_total=1)) as region, ExitStack() as stack:
        alpha = region.client("alpha")
        with region.database.write() as connection:
            insert_image(connection, "jp1", Image(ID, "queued", "shared", 1, 1, owner=alpha.project_id))
            answer = stack.enter_context(
                _waiting(region.database, lambda: alpha.request("POST", "/v2/images", json={}))
            )
        assert answer.result().status_code == 413


# --- what else has a cap, or a name ---------------------------------------------------------------------------


def test_a_namespace_of_this_moment(region: RegionService) -> None:
    """A client that asks for a name which another transaction is about to use is 409."""
    admin = region.admin()
    with ExitStack() as stack:
        with region.database.write() as connection:
            insert_namespace(connection, "jp1", Namespace("OS::One", "public", False, None, 1, 1))
            body = {"namespace": "OS::One"}
            answer = stack.enter_context(
                _waiting(region.database, lambda: admin.request("POST", "/v2/metadefs/namespaces", json=body))
            )
        assert answer.result().status_code == 409


def test_tokens_of_one_user(region: RegionService, user: directory.User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two logins at once leave no more tokens than a user may have."""
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)

    def log_in() -> None:
        with region.database.write() as connection:
            _issue(connection, user)

    with ExitStack() as stack:
        with region.database.write() as connection:
            _issue(connection, user)
            other = stack.enter_context(_waiting(region.database, log_in))
        other.result()
    with region.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM tokens")).scalar_one() == 1


def _issue(connection: Any, user: directory.User) -> None:
    tokens.issue_token(connection, user, None, methods=["password"], expires_at=now() + 60 * MICROSECONDS)


def test_credentials_of_one_user(region: RegionService, user: directory.User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two requests for the last application credential that a user may have, one gets it."""
    monkeypatch.setattr(credentials, "MAX_CREDENTIALS", 1)

    def create(name: str, connection: Any) -> None:
        project = directory.find_project(connection, "demo")
        credentials.create_credential(connection, user.id, project.id, name, "hash", None, ("member",))

    def create_another() -> None:
        with region.database.write() as connection:
            create("second", connection)

    with ExitStack() as stack:
        with region.database.write() as connection:
            create("first", connection)
            other = stack.enter_context(_waiting(region.database, create_another))
        with pytest.raises(Forbidden):
            other.result()


def test_a_job_is_held_until_it_is_finished(region: RegionService) -> None:
    """A process that has proved its claim on a job keeps it until its transaction ends."""
    with region.database.write() as connection:
        connection.execute(_TASK)
        assert IMPORTS.claim(connection, ["elsewhere"], "mine", 60 * MICROSECONDS) == "a-task"
    with region.database.write() as connection:
        assert IMPORTS.holds(connection, "a-task", "mine")
        assert _free_tasks(region.database) == []
    assert _free_tasks(region.database) == ["a-task"]


_TASK = text(
    "INSERT INTO tasks (id, region, type, status, input, message, created_at, updated_at) "
    "VALUES ('a-task', 'elsewhere', 'import', 'pending', '{}', '', 1, 1)"
)


def _free_tasks(database: Database) -> list[str]:
    with database.write() as connection:
        return list(connection.execute(text("SELECT id FROM tasks FOR UPDATE SKIP LOCKED")).scalars())


# --- deadlocks, and many at once ------------------------------------------------------------------------------


def test_a_deadlock_is_tried_again(region: RegionService, alpha: Client) -> None:
    """Two transactions that each wait for the other one's row both succeed; one of them is made again."""
    ids = [alpha.create()["id"], alpha.create()["id"]]
    both_have_one = threading.Barrier(2)
    calls: list[int] = []

    @retried
    def change(number: int) -> None:
        calls.append(number)
        with region.database.write() as connection:
            fetch_image(connection, "jp1", ids[number])
            if calls.count(number) == 1:
                both_have_one.wait()
            fetch_image(connection, "jp1", ids[1 - number])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, (0, 1)))
    assert set(calls) == {0, 1}
    assert len(calls) > 2


def test_what_always_fails_is_not_tried_for_ever(region: RegionService) -> None:
    """A transaction that PostgreSQL undoes each time fails after a few times."""
    calls: list[int] = []

    @retried
    def fail() -> None:
        calls.append(1)
        with region.database.write() as connection:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(DatabaseError):
        fail()
    assert len(calls) == 5


def test_two_services_write_at_once(postgres: Postgres) -> None:
    """Two processes with one database serve writers of both regions together; the sums of both are right."""
    url = postgres.create()
    with ImageService(("jp1",), database_url=url) as one, ImageService(("us1",), database_url=url) as other:
        clouds = [service.connect(project=service.add_project()).image for service in (one, other) * 3]

        def work(proxy: Any) -> None:
            for number in range(5):
                image = proxy.create_image(name=f"image {number}", data=b"x" * 1000, **RAW)
                proxy.update_image(image, {"os_distro": "debian"})
                proxy.add_tag(image, "t")
                if number % 2:
                    proxy.delete_image(image)

        with ThreadPoolExecutor(len(clouds)) as pool:
            list(pool.map(work, clouds))
        assert [len(list(cloud.images())) for cloud in clouds] == [3] * len(clouds)
        for region in ("jp1", "us1"):
            assert recount_all(one.database, region) == []
