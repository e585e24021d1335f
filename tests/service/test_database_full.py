"""The disk of the SQLite database is full."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from support.region_service import Client, RegionService


def test_a_full_disk_is_507_and_passes(region: RegionService, alpha: Client) -> None:
    """A write without room is 507 and says what is full; reads go on, and writes when there is room again."""
    if not region.database.is_sqlite:
        pytest.skip("PostgreSQL's disk cannot be filled here")
    pages = [1]

    def limit(connection: Connection) -> None:
        # SQLite takes the size that the file has if that is more.
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")

    event.listen(region.database.engine, "begin", limit)
    body = {f"p{number}": "x" * 4096 for number in range(50)}
    for _ in range(20):
        response = alpha.request("POST", "/v2/images", json=body)
        if response.status_code != 201:
            break
    assert (response.status_code, "disk of the database is full" in response.text) == (507, True)
    assert alpha.get("/v2/images").status_code == 200

    pages[0] = 1 << 30
    assert alpha.request("POST", "/v2/images", json=body).status_code == 201
