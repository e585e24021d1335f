"""Uploads and their processes: those of a dead one are taken over, and one that was taken for dead finishes none."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ecl.server.data.node import Node
from ecl.server.data.reaper import Reaper
from ecl.server.db.uploads import UploadRow, add_upload
from support.region_service import Client, RegionService, poll, run_region

MIB = 1 << 20
RAW = {"disk_format": "raw", "container_format": "bare"}


def _open_upload(region: RegionService, client: Client, image: dict[str, str], what: str = "file") -> socket.socket:
    """Begin to send 3 MiB, and wait until some of the first 2 MiB have been stored."""
    connection = socket.create_connection(region.address)
    connection.sendall(
        f"PUT /v2/images/{image['id']}/{what} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"
        f"X-Auth-Token: {client.session.headers['X-Auth-Token']!s}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {3 * MIB}\r\n\r\n".encode()
    )
    connection.sendall(b"x" * (2 * MIB))
    if region.region.store.kind == "file":
        poll(lambda: any(path.stat().st_size > 0 for path in _files(region)))
    else:
        # A bucket gets nothing before a part is full.
        poll(lambda: client.show(image["id"])["status"] in ("saving", "uploading"))
    return connection


def _files(region: RegionService) -> list[Any]:
    """Return the files or objects of all uploads and all data."""
    return region.data_files() + region.staged_files()


def _finish(connection: socket.socket) -> str:
    """Send the rest, and return the head of the answer."""
    connection.sendall(b"x" * MIB)
    return connection.recv(4000).decode()


def _expire(region: RegionService) -> None:
    """Let the leases of all processes have expired, as if these had slept."""
    with region.database.write() as connection:
        connection.execute(text("UPDATE nodes SET expires_at = 1"))


def _rows(region: RegionService, table: str) -> int:
    with region.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("what", ["file", "stage"])
def test_upload_after_the_lease(region: RegionService, alpha: Client, what: str) -> None:
    """An upload whose process has slept through its lease is 503; the image is queued again, and no bytes remain."""
    image = alpha.create(**RAW)
    with _open_upload(region, alpha, image, what) as connection:
        _expire(region)
        answer = _finish(connection)

    assert answer.startswith("HTTP/1.1 503")
    assert "retry-after: 1" in answer.lower()
    assert alpha.show(image["id"])["status"] == "queued"
    assert _files(region) == []
    assert [_rows(region, table) for table in ("uploads", "garbage", "staged_data", "image_locations")] == [0] * 4


def test_upload_that_another_process_took_over(region: RegionService, alpha: Client) -> None:
    """A process that lives gives up the upload of one that sleeps; what is uploaded then is what the image has."""
    image = alpha.create(**RAW)
    other = Node(region.database, 60)
    other.register()
    reaper = Reaper(region.database, [region.region], other)
    with _open_upload(region, alpha, image) as connection:
        reaper.clean_up()
        assert alpha.show(image["id"])["status"] == "saving"
        with region.database.write() as database:
            database.execute(text("UPDATE nodes SET expires_at = 1 WHERE id != :id"), {"id": other.id})
        reaper.clean_up()
        assert alpha.show(image["id"])["status"] == "queued"
        assert _files(region) == []
        # The process notices at its first attempt that it needs a new lease.
        again = region.client()
        poll(lambda: again.upload(image["id"], b"newer").status_code == 204)
        assert _finish(connection).startswith("HTTP/1.1 503")

    assert alpha.get(image["file"]).content == b"newer"
    assert _files(region) == [region.data_file(image["id"])]


def test_upload_of_a_dead_process_ends_without_a_restart(tmp_path: Path) -> None:
    """What a process has left that died is ended by another one within a lease."""
    with run_region(tmp_path, node_lease=0.4) as region:
        client = region.client()
        image = client.create(**RAW)
        upload = UploadRow(str(uuid.uuid4()), "jp1", image["id"], "folder", str(uuid.uuid4()), str(uuid.uuid4()))
        writer = region.region.store.writer(upload.key)
        writer.write(b"half")
        writer.flush()
        with region.database.write() as connection:
            add_upload(connection, upload)
            held = "UPDATE images SET status = 'saving', upload_id = :upload WHERE id = :image"
            connection.execute(text(held), {"upload": upload.upload_id, "image": image["id"]})

        poll(lambda: client.show(image["id"])["status"] == "queued")
        poll(lambda: _files(region) == [])


def test_the_lease_is_renewed(tmp_path: Path) -> None:
    """A process that lives keeps its uploads for as long as they take."""
    with run_region(tmp_path, node_lease=0.4) as region:
        client = region.client()
        image = client.create(**RAW)
        with _open_upload(region, client, image) as connection:
            started = _expiry(region)
            # Three renewals later the lease that the upload began with has expired.
            poll(lambda: _expiry(region) > started + 400_000)
            assert _finish(connection).startswith("HTTP/1.1 204")


def _expiry(region: RegionService) -> int:
    with region.database.read() as connection:
        return int(connection.execute(text("SELECT max(expires_at) FROM nodes")).scalar_one())
