"""The database goes away in the middle of something: nothing is lost, and no restart is needed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from sqlalchemy import text

from ecl.image.v2.image import Image
from ecl.server.data.store.marker import NAME as MARKER
from ecl.testing import ImageService
from support.postgres import Postgres
from support.postgres_relay import PostgresRelay
from support.region_service import poll

BLOCK = b"0123456789" * 100_000
RAW = {"disk_format": "raw", "container_format": "bare"}


def _new_image(service: ImageService) -> tuple[Image, str, dict[str, str]]:
    """Create an image; return it, the URL of its data, and the headers of an upload."""
    connection = service.connect()
    image = connection.image.create_image(name="half", **RAW)
    headers = {"X-Auth-Token": connection.session.get_token() or "", "Content-Type": "application/octet-stream"}
    return image, f"{service.url}/image/jp1/v2/images/{image.id}/file", headers


def _upload(url: str, headers: dict[str, str], data: Iterator[bytes]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.put(url, data=data, headers=headers, timeout=60)


def _files(service: ImageService) -> list[Path]:
    found = (path for path in (service.data_dir / "images").rglob("*") if path.is_file())
    return [path for path in found if path.name != MARKER]


@pytest.mark.folder_store
@pytest.mark.parametrize("wrong_size", [False, True])
def test_database_is_away_when_an_upload_ends(postgres: Postgres, wrong_size: bool) -> None:
    """Neither finishing nor undoing works then. The reaper ends the upload when the database is back."""
    with ImageService(("jp1",), database_url=postgres.create(), node_lease=1) as service:
        image, url, headers = _new_image(service)
        name = service.database.name
        if wrong_size:
            headers["X-OpenStack-Image-Size"] = str(100 * len(BLOCK))

        def data() -> Iterator[bytes]:
            yield from [BLOCK] * 5
            poll(lambda: bool(_files(service)))
            postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            postgres.end_sessions(name)
            yield BLOCK

        answer = _upload(url, headers, data())
        assert answer.status_code == (400 if wrong_size else 503)
        assert ("Retry-After" in answer.headers) is not wrong_size

        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        proxy = service.connect().image
        poll(lambda: proxy.get_image(image).image_status == "queued")
        poll(lambda: _files(service) == [])
        assert proxy.upload_image(image, BLOCK).image_status == "active"


@pytest.mark.folder_store
def test_commit_whose_answer_is_lost(postgres: Postgres) -> None:
    """An upload that the database has committed is a success, though its answer did not arrive."""
    direct = postgres.create()
    with PostgresRelay(Path(direct.partition("host=")[2])) as relay:
        url = direct.partition("@")[0] + f"@127.0.0.1:{relay.port}/" + direct.partition("@/")[2].partition("?")[0]
        with ImageService(("jp1",), database_url=url) as service:
            image, url, headers = _new_image(service)

            def data() -> Iterator[bytes]:
                yield from [BLOCK] * 5
                poll(lambda: bool(_files(service)))
                relay.lose_next_commit()
                yield BLOCK

            answer = _upload(url, headers, data())
            assert (relay.has_lost.is_set(), answer.status_code) == (True, 204)
            assert service.connect().image.download_image(image) == BLOCK * 6


def test_stop_while_the_database_hangs(postgres: Postgres) -> None:
    """SIGTERM begins to stop the service though the queries of its workers do not return."""
    with ImageService(("jp1",), database_url=postgres.create()) as service:
        name = service.database.name
        with psycopg.connect(postgres.url(name)) as blocking:
            blocking.execute("LOCK TABLE copy_jobs, tasks IN ACCESS EXCLUSIVE MODE")
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'relation'"
            )
            with service.database.read() as connection:
                poll(lambda: connection.execute(text(waiting)).scalar_one() >= 2)
            subprocess.run(["/bin/kill", "-TERM", str(service.pid)], check=True)
            poll(lambda: "Stopping" in service.log)
        poll(lambda: not service.is_running)
