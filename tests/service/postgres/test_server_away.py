"""PostgreSQL is away, or does not go on: what clients are told, and that the service recovers by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import requests
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ecl.server.db.engine import Database
from ecl.server.db.failures import as_service_error
from ecl.server.errors import Unavailable
from ecl.testing import ImageService
from support.postgres import Postgres, running_postgres
from support.region_service import poll


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL that no other test uses."""
    with running_postgres() as running:
        # Other tests do without; here, what is acknowledged must survive.
        running.execute("ALTER ROLE ecl SET synchronous_commit = on")
        yield running


@pytest.fixture
def service(cluster: Postgres) -> Iterator[ImageService]:
    """A service on it."""
    with ImageService(("jp1",), database_url=cluster.create()) as running:
        yield running


class Caller:
    """A client of the API that tries nothing twice."""

    def __init__(self, service: ImageService) -> None:
        connection = service.connect()
        self._headers = {"X-Auth-Token": connection.session.get_token() or ""}
        self._url = f"{service.url}/image/jp1/v2/images"

    def list(self) -> requests.Response:
        """List images."""
        return requests.get(self._url, headers=self._headers, timeout=60)

    def create(self, name: str) -> requests.Response:
        """Create an image."""
        return requests.post(self._url, headers=self._headers, json={"name": name}, timeout=60)


def names(response: requests.Response) -> list[str]:
    """Return the names of the listed images."""
    return sorted(image["name"] for image in response.json()["images"])


def test_a_killed_server_is_503_until_it_is_back(service: ImageService, cluster: Postgres) -> None:
    """Every request is 503 with Retry-After while PostgreSQL is away, and what was acknowledged is there afterwards."""
    caller = Caller(service)
    assert caller.create("before").status_code == 201
    cluster.kill()
    for response in (caller.list(), caller.create("lost"), caller.list()):
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "database" in response.text
    assert requests.get(f"{service.url}/healthcheck", timeout=60).status_code == 200

    cluster.start_again()

    poll(lambda: caller.list().status_code == 200)
    assert caller.create("after").status_code == 201
    assert names(caller.list()) == ["after", "before"]


def test_a_stopped_server_delays_requests_and_no_more(service: ImageService, cluster: Postgres) -> None:
    """While PostgreSQL is stopped, the service itself answers; when it goes on, so do the requests that waited."""
    caller = Caller(service)
    assert caller.list().status_code == 200
    answers: list[int] = []
    waiting = [threading.Thread(target=lambda: answers.append(caller.create("x").status_code)) for _ in range(4)]
    with cluster.stopped():
        for thread in waiting:
            thread.start()
        assert requests.get(f"{service.url}/healthcheck", timeout=60).status_code == 200
        assert answers == []
    for thread in waiting:
        thread.join()
    assert answers == [201] * 4
    assert names(caller.list()) == ["x"] * 4


def test_sessions_have_time_limits(postgres: Postgres) -> None:
    """The server ends statements and idle transactions of the service; a lock is waited for less long than that."""
    with closing(Database(postgres.create())) as database, database.read() as connection:
        names = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
        values = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]
    assert values == ["1min", "1min", "30s"]


def failure(connection: Connection, statement: str) -> BaseException:
    """Return the exception that *statement* ends with."""
    with pytest.raises(DBAPIError) as failed:
        connection.execute(text(statement))
    return failed.value


@pytest.mark.parametrize(
    ("setting", "statement"),
    [("statement_timeout", "SELECT pg_sleep(60)"), ("lock_timeout", "SELECT pg_advisory_xact_lock(7)")],
)
def test_statements_that_take_too_long_are_unavailable(postgres: Postgres, setting: str, statement: str) -> None:
    """A statement that the server ends for its time limit is Unavailable, not a fault of the service."""
    with closing(Database(postgres.create())) as database, database.read() as holder, database.read() as connection:
        holder.execute(text("SELECT pg_advisory_xact_lock(7)"))
        connection.execute(text(f"SET LOCAL {setting} = 50"))
        assert isinstance(as_service_error(failure(connection, statement)), Unavailable)


def test_an_ended_session_is_unavailable(postgres: Postgres) -> None:
    """A session that an administrator ends in the middle is Unavailable."""

    def query() -> None:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))
            postgres.end_sessions(database.name)
            connection.execute(text("SELECT 1"))

    with closing(Database(postgres.create())) as database, pytest.raises(DBAPIError) as failed:
        query()
    assert isinstance(as_service_error(failed.value), Unavailable)


def test_connections_have_a_limit(postgres: Postgres) -> None:
    """No more connections are opened than the setting allows; one more user is Unavailable after a while."""
    with closing(Database(postgres.create(), connections=2)) as database, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(database.read())
        with pytest.raises(PoolTimeout) as failed:
            stack.enter_context(database.read())
    assert isinstance(as_service_error(failed.value), Unavailable)


def test_faults_stay_faults(postgres: Postgres) -> None:
    """A statement that is wrong is a fault of the service, which must be seen."""
    with closing(Database(postgres.create())) as database, database.read() as connection:
        assert as_service_error(failure(connection, "SELECT * FROM nothing")) is None
