"""What is there after a fault, held against what was acknowledged."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import text

from chaos.client import Answer, Client
from chaos.ledger import ImageRecord, Ledger
from chaos.workload import STORES
from ecl.server.data.store.marker import NAME as MARKER
from ecl.testing import ImageService

__all__ = ["Checker"]

#: Work that has not ended.
_UNFINISHED = text(
    "SELECT (SELECT count(*) FROM tasks WHERE status IN ('pending', 'processing'))"
    " + (SELECT count(*) FROM copy_jobs WHERE status NOT IN ('replicated', 'canceled', 'error'))"
    " + (SELECT count(*) FROM uploads) + (SELECT count(*) FROM garbage)"
)
_BYTES = text(
    "SELECT l.key, i.id, i.size, i.os_hash_value FROM image_locations l"
    " JOIN images i ON i.region = l.region AND i.id = l.image_id"
    " UNION ALL SELECT key, image_id, NULL, NULL FROM staged_data"
)
#: Statuses that only work in progress has.
_PASSING = ("saving", "importing")


class Checker:
    """
    Checks a service that no client uses at the moment.

    Args:
        service: The service.
        client: A session of the clients' project in their region.
        destination: One of the project that copies go to, in its region.
        patience: Seconds until whatever is unfinished must have ended.
    """

    def __init__(
        self, service: ImageService, client: Client, destination: Client, ledger: Ledger, *, patience: float
    ) -> None:
        self._service = service
        self._client = client
        self._destination = destination
        self._ledger = ledger
        self._patience = patience
        #: Most seconds until everything had ended.
        self.longest_wait = 0.0

    def settle(self) -> None:
        """Wait until nothing is unfinished."""
        began = time.monotonic()
        while self._unfinished():
            if time.monotonic() - began > self._patience:
                self._ledger.violate("stuck: unfinished after", self._patience, "s")
                return
            time.sleep(0.05)
        self.longest_wait = max(self.longest_wait, time.monotonic() - began)

    def _unfinished(self) -> int:
        with self._service.database.read() as connection:
            return int(connection.execute(_UNFINISHED).scalar_one())

    def check(self, records: Collection[ImageRecord]) -> None:
        """Check images and their bytes; those that are deleted are forgotten."""
        for record in records:
            self._check_copies(record)
            self._check_image(record)
            record.touched = False
        self._ledger.forget([record for record in records if record.exists.sure is False])

    def _check_image(self, record: ImageRecord) -> None:
        path = f"/v2/images/{record.id}"
        answer = self._ask(self._client, path)
        there = answer.status != 404
        if not record.exists.allows(there):
            self._ledger.violate("lost:" if not there else "undone: the delete of", record.id)
        if not there:
            return
        image = answer.json()
        members = {each["member_id"] for each in self._ask(self._client, f"{path}/members").json()["members"]}
        active = image["status"] == "active"
        digest = image["os_hash_value"] if active else None
        seen = (
            ("data", record.data.allows(digest), digest),
            ("revision", record.revision.allows(int(image["revision"])), image["revision"]),
            ("tags", record.tags.allows(frozenset(image["tags"])), image["tags"]),
            ("members", record.members.allows(frozenset(members)), members),
        )
        for name, allowed, value in seen:
            if not allowed:
                self._ledger.violate(f"{name}:", record.id, "has", value)
        if image["status"] in _PASSING:
            self._ledger.violate("stuck:", record.id, "is", image["status"])
        if active:
            self._check_bytes(self._client, record.id, digest)
            if record.in_all_stores and set(image["stores"].split(",")) != set(STORES):
                self._ledger.violate("not in all stores:", record.id, image["stores"])

    def _check_bytes(self, client: Client, image_id: str, digest: str | None) -> None:
        answer = client.ask("GET", f"/v2/images/{image_id}/file")
        assert answer.response is not None
        if answer.status != 200 or hashlib.sha512(answer.response.content).hexdigest() != digest:
            self._ledger.violate("wrong bytes:", image_id, answer.status)

    def _check_copies(self, record: ImageRecord) -> None:
        """Each accepted copy has ended, and made one image with the right bytes."""
        made = 0
        for copy in record.copies:
            job = self._ask(self._client, f"/v2/extension/image_replicator/jobs/{copy.job_id}").json()
            if job["status"] == "replicated":
                made += 1
            elif record.exists.sure is True and not copy.checked:
                # The source is there and was active: nothing that a fault does is a reason for an error.
                self._ledger.violate("copy:", record.id, job)
            copy.checked = True
        if not record.copies_asked:
            return
        found = self._ask(self._destination, f"/v2/images?name={record.id}&limit=1000").json()["images"]
        if not made <= len(found) <= record.copies_asked:
            self._ledger.violate("copies:", record.id, len(found), "images from", record.copies_asked, "requests")
        for image in found:
            if image["status"] == "active":
                self._check_bytes(self._destination, image["id"], image["os_hash_value"])
            elif record.exists.sure is True:
                self._ledger.violate("copy:", record.id, "left", image["id"], image["status"])

    def _ask(self, client: Client, path: str) -> Answer:
        answer = client.ask("GET", path)
        if answer.status not in (200, 404):
            self._ledger.violate("unexpected:", "GET", path, answer.status)
        return answer

    def check_disk(self, *, hashes: bool) -> None:
        """Every row has its bytes, every file a row."""
        rows = self._rows()
        files = {path.name: path for path in self._files()}
        for key in sorted(files.keys() - rows.keys()):
            self._ledger.violate("stray bytes:", files[key])
        for key, (image_id, size, digest) in rows.items():
            if key not in files:
                self._ledger.violate("missing bytes:", image_id, key)
            elif size is not None and files[key].stat().st_size != size:
                self._ledger.violate("wrong size:", image_id, key)
            elif hashes and digest is not None and _sha512(files[key]) != digest:
                self._ledger.violate("damaged bytes:", image_id, key)

    def _rows(self) -> dict[str, tuple[str, Any, Any]]:
        with self._service.database.read() as connection:
            return {key: (image_id, size, digest) for key, image_id, size, digest in connection.execute(_BYTES)}

    def _files(self) -> list[Path]:
        found = [path for name in ("images", "staging") for path in (self._service.data_dir / name).rglob("*")]
        return [path for path in found if path.is_file() and path.name != MARKER]


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()
