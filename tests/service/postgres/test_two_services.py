"""Services that share one database: a region belongs to one of them, and nothing of a password gets out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from ecl.exceptions import SDKException
from ecl.image.v2._proxy import Proxy
from ecl.server.db.claim import claimed_regions
from ecl.server.db.engine import Database
from ecl.server.db.url import UnusableDatabase
from ecl.testing import ImageService, ServiceFailed
from support.postgres import Postgres
from support.region_service import poll

DATA = b"0123456789" * 200_000
RAW = {"disk_format": "raw", "container_format": "bare"}

Start = Callable[..., ImageService]


@pytest.fixture
def start(postgres: Postgres) -> Iterator[Start]:
    """A function that starts one more service on one database."""
    url = postgres.create()
    with ExitStack() as stack:
        yield lambda *regions: stack.enter_context(ImageService(regions, database_url=url))


@pytest.fixture
def databases(postgres: Postgres) -> Iterator[list[Database]]:
    """One database, opened twice, as two processes would."""
    url = postgres.create()
    opened = [Database(url), Database(url)]
    yield opened
    for each in opened:
        each.close()


# --- services -----------------------------------------------------------------------------------------------


def test_a_region_has_one_service(start: Start) -> None:
    """A second service for a region is refused in one sentence, and what the first one is receiving is not touched."""
    first = start("jp1", "jp2")
    proxy = first.connect().image
    image = proxy.create_image(name="slow", **RAW)

    def data() -> Iterator[bytes]:
        yield DATA
        with pytest.raises(ServiceFailed, match=rf"process {first.pid} on .*\) serves region jp2 with it") as refused:
            start("jp2", "jp3")
        assert "Traceback" not in str(refused.value)
        yield DATA

    assert proxy.upload_image(image, data()).image_status == "active"
    assert proxy.download_image(image) == DATA * 2


def test_a_file_has_one_service(tmp_path: Path) -> None:
    """A second service on an SQLite file that another one uses is refused, though it has a folder of its own."""
    url = f"sqlite:///{tmp_path}/shared.db"
    with (
        ImageService(("jp1",), database_url=url) as first,
        pytest.raises(ServiceFailed, match=rf"process {first.pid}\) is using the database .*shared.db: stop it"),
        ImageService(("jp1",), database_url=url),
    ):
        pass


def test_the_next_one_takes_over(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a service was killed, the next one for its regions starts, and puts its uploads back to queued."""
    monkeypatch.setattr("ecl._http.retry.ATTEMPTS", 1)
    monkeypatch.setattr("ecl.image._transfer.upload.SETTLE", 0.0)
    first = start("jp1")
    project = first.add_project()
    proxy = first.connect(project=project).image
    image = proxy.create_image(name="cut", **RAW)

    def data() -> Iterator[bytes]:
        # The format inspector looks at the first 4 MiB before anything is sent.
        yield from [DATA] * 5
        poll(lambda: proxy.get_image(image).image_status == "saving")
        first.kill()
        yield DATA

    with pytest.raises(SDKException):
        proxy.upload_image(image, data())

    again = start("jp1").connect(project=project).image
    assert again.get_image(image).image_status == "queued"
    assert again.upload_image(image, DATA).image_status == "active"


def test_jobs_run_once(start: Start) -> None:
    """Of two services, each runs the imports of its own regions and the copies from them, and the other one none."""
    first, second = start("jp1", "jp2"), start("us1", "us2")
    for service, near, far in ((first, "jp1", "jp2"), (second, "us1", "us2")):
        source = service.add_project(near)
        here = service.connect(project=source).image
        target = service.add_project(far, source.username)
        staged = here.create_image(name="staged", **RAW)
        here.stage_image(staged, DATA)
        here.import_image(staged, "glance-direct")
        image = here.create_image(name="copied", data=DATA, **RAW)
        job = here.copy_image(image.id or "", target.id)
        _has_ended(here, staged.id or "")
        done = here.wait_for_image_copy(job, interval=0.05)
        there = service.connect(project=target).image
        assert [each.id for each in there.images()] == [done.destination_image_id]
        assert there.download_image(done.destination_image_id or "") == DATA

    with first.database.read() as connection:
        tasks = connection.execute(text("SELECT region, status FROM tasks ORDER BY region")).all()
        jobs = connection.execute(text("SELECT source_region_id, status FROM copy_jobs ORDER BY 1")).all()
    assert [tuple(row) for row in tasks] == [("jp1", "success"), ("us1", "success")]
    assert [row[0] for row in jobs] == ["jp1", "us1"]


def _has_ended(proxy: Proxy, image_id: str) -> None:
    poll(lambda: proxy.get_image(image_id).image_status == "active")


def test_projects_can_be_added(start: Start) -> None:
    """`ImageService` looks into the database that it was given."""
    service = start("jp1")
    project = service.add_project()

    assert service.database.name.startswith("ecl")
    assert not (service.data_dir / "ecl.db").exists()
    assert list(service.connect(project=project).image.images()) == []


# --- what is said of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda url: url.replace("ecl@", "nobody:s3cret@"), 'role "nobody" does not exist'),
        (lambda url: url.replace("@/ecl", "@/no").replace("ecl@", "ecl:s3cret@"), "database .* does not exist"),
        (lambda url: "postgresql://ecl:s3cret@127.0.0.1:1/ecl", "Connection refused"),
        (lambda url: "postgresql://ecl:p@s3cret@127.0.0.1/ecl", "more than one @"),
        (lambda url: "postgresql://ecl:s3cret@127.0.0.1:x/ecl", "is not a URL"),
    ],
)
def test_a_start_without_database(postgres: Postgres, change: Callable[[str], str], word: str) -> None:
    """A database that is not there is one line without the password."""
    service = ImageService(database_url=change(postgres.create()))
    with pytest.raises(ServiceFailed, match=f"Error: The database cannot be used: .*{word}") as failed, service:
        pass
    assert "s3cret" not in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_the_log_has_no_password(postgres: Postgres) -> None:
    """A service whose database has gone away answers 503 and logs why, without the password."""
    url = postgres.create()
    with ImageService(("jp1",), database_url=url.replace("ecl@", "ecl:s3cret@")) as service:
        proxy = service.connect().image
        assert list(proxy.images()) == []
        postgres.execute(f"ALTER DATABASE {service.database.name} ALLOW_CONNECTIONS false")
        postgres.end_sessions(service.database.name)
        answer = proxy.session.get(
            "/v2/images", endpoint_filter={"service_type": "image"}, raise_exc=False, connect_retries=0
        )
        assert answer.status_code == 503
        service.stop()

        assert "not currently accepting connections" in service.log
        assert "s3cret" not in service.log
        assert (service.data_dir.parent / "service.json").stat().st_mode & 0o077 == 0


# --- the claim itself -----------------------------------------------------------------------------------------


def test_claims_exclude_each_other(databases: list[Database]) -> None:
    """A region is held once, for as long as the block lasts; another region is free."""
    one, other = databases
    with claimed_regions(one, ["a", "b"]):
        with claimed_regions(other, ["c"]):
            pass
        with pytest.raises(UnusableDatabase, match="serves region b with it"), claimed_regions(other, ["c", "b"]):
            pass
        # What it had got before is free again.
        with claimed_regions(other, ["c"]):
            pass
    with claimed_regions(other, ["a", "b"]):
        pass


def test_a_lost_claim_is_taken_again(
    databases: list[Database], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server ends the session, the regions are held again soon after."""
    one, other = databases
    monkeypatch.setattr("ecl.server.db.claim._CHECK_SECONDS", 0.01)
    monkeypatch.setattr("ecl.server.db.claim._LOCK_TIMEOUT_MS", 200)
    with claimed_regions(one, ["a"]):
        lost = _holders(other)
        postgres.end_sessions(one.name)
        poll(lambda: _holders(other) not in ([], lost))
        with pytest.raises(UnusableDatabase, match="serves region a with it"), claimed_regions(other, ["a"]):
            pass


def test_a_claim_that_another_got(
    databases: list[Database], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that lost a region to another one is told to stop."""
    one, other = databases
    stopped = threading.Event()
    monkeypatch.setattr("ecl.server.db.claim.os.kill", lambda pid, number: stopped.set())
    monkeypatch.setattr("ecl.server.db.claim._CHECK_SECONDS", 0.01)
    monkeypatch.setattr("ecl.server.db.claim._LOCK_TIMEOUT_MS", 200)
    with claimed_regions(one, ["a"]):
        (lost,) = _holders(other)
        # Waits in line for the lock, so it is the next to have it.
        with other.engine.connect() as waiting:
            waiting.exec_driver_sql("SELECT 1")
            taker = threading.Thread(target=_take, args=(waiting,))
            taker.start()
            poll(lambda: _waiters(one) == 1)
            postgres.execute(f"SELECT pg_terminate_backend({lost})")
            taker.join()
            assert stopped.wait(20)


def _take(connection: object) -> None:
    from ecl.server.db import claim

    claim._lock(connection, "a")


def _holders(database: Database) -> list[int]:
    """Return the sessions that hold a region."""
    return _sessions(database, "granted")


def _waiters(database: Database) -> int:
    return len(_sessions(database, "NOT granted"))


def _sessions(database: Database, which: str) -> list[int]:
    query = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND {which}"
    mine = "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with database.read() as connection:
        return list(connection.execute(text(f"{query} {mine}")).scalars())
