"""One kind of waiting never stops another: writers, downloads, and regions that do not answer."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ecl.server.db.engine import Database
from ecl.server.settings.model import RegionSettings
from support.http_stub import Answer, HttpStub, Request
from support.region_service import Client, RegionService, poll, run_region

#: More than there are threads for requests.
MANY = 60
DATA = os.urandom(3 << 20)


@contextmanager
def _locked_for_writers(database: Database) -> Iterator[None]:
    """Let nobody else write images, while everybody reads."""
    if database.is_sqlite:
        with closing(sqlite3.connect(database.name)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        with database.engine.begin() as connection:
            connection.execute(text("LOCK TABLE images IN EXCLUSIVE MODE"))
            yield


@contextmanager
def _sent_by_many(service: RegionService, send: Callable[[Client], Any]) -> Iterator[list[Future[Any]]]:
    clients = [service.client() for _ in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        yield [pool.submit(send, client) for client in clients]


def _check_that_readers_go_on(client: Client, image: dict[str, Any]) -> None:
    assert client.get(image["file"]).content == DATA
    assert image["id"] in client.list_ids()
    assert client.show(image["id"])["status"] == "active"
    assert client.get(f"/v2/images/{image['id']}/members").status_code == 200


def test_waiting_writers(tmp_path: Path) -> None:
    """While many clients wait to write, downloads, lists and single images are answered; then all have written."""
    with run_region(tmp_path) as service:
        client = service.client()
        image = client.active(DATA)
        sent = threading.Barrier(MANY + 1)

        def create(each: Client) -> dict[str, Any]:
            sent.wait()
            return each.create(name="waits")

        with _sent_by_many(service, create) as writers:
            with _locked_for_writers(service.database):
                sent.wait()
                for _ in range(5):
                    _check_that_readers_go_on(client, image)
                assert not any(writer.done() for writer in writers)
            assert {writer.result()["name"] for writer in writers} == {"waits"}


class _SilentKeystone(HttpStub):
    """A Keystone that answers only once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()
        self.on("GET", "/v3", self._answer)
        self.on("POST", "/v3/auth/tokens", self._answer)

    def _answer(self, _request: Request) -> Answer:
        self.may_answer.wait(60)
        return Answer(500)


@pytest.fixture
def silent() -> Iterator[_SilentKeystone]:
    """A Keystone that does not answer."""
    with _SilentKeystone() as stub:
        yield stub
        stub.may_answer.set()


def test_silent_region(tmp_path: Path, silent: _SilentKeystone) -> None:
    """While many copies wait for the login to a region that does not answer, everything else goes on."""
    password = tmp_path / "password"
    password.write_text("secret")
    remote = RegionSettings(
        "far",
        url=f"{silent.url}/image/far",
        auth_url=f"{silent.url}/v3",
        username="replicator",
        password_file=password,
        project_name="service",
    )
    with run_region(tmp_path, regions=(RegionSettings("jp1"), remote)) as service:
        admin = service.admin()
        client = service.client()
        image = client.active(DATA)
        body = {"image_id": image["id"], "tenant_id_dst": "f" * 32}

        def copy(_client: Client) -> int:
            answer = service.admin().request("POST", "/v2/extension/image_replicator/jobs", json=body)
            return answer.status_code

        with _sent_by_many(service, copy) as copies:
            poll(lambda: silent.requests)
            for _ in range(5):
                _check_that_readers_go_on(client, image)
                assert client.create(name="goes on")["name"] == "goes on"
            assert not all(each.done() for each in copies)
            silent.may_answer.set()
        assert {each.result() for each in copies} <= {409, 503}
        assert admin.show(image["id"])["status"] == "active"
