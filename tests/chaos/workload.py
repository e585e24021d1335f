"""What clients do: everything that writes, at random, each on images of its own, until they are told to stop."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

from chaos.client import Answer, Client, Outcome
from chaos.ledger import Copy, ImageRecord, Ledger, Register

__all__ = ["STORES", "Worker"]

#: The stores of the region that clients write to.
STORES = ("folder", "cheap")
_SIZES = (10, 70_000, 3_000_000)
_OCTETS = {"Content-Type": "application/octet-stream"}
_PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
#: Images of one client at a time: with more it deletes, so that a long run does not fill the disk.
_MOST_IMAGES = 12

Value = TypeVar("Value", bound=Hashable)


class Worker:
    """
    One client.

    Args:
        client: Its session in the region that it writes to.
        admin: An administrator's session there: only administrators change which stores have an image.
        ledger: Where it notes what it was told.
        destination: ID of the project that its copies go to, in another region.
        origin: URL of a server, and the data that it has by path, for imports.
        seed: What it does is drawn from this.
    """

    def __init__(
        self,
        client: Client,
        admin: Client,
        ledger: Ledger,
        destination: str,
        origin: tuple[str, dict[str, bytes]],
        seed: int,
    ) -> None:
        self._client = client
        self._admin = admin
        self._ledger = ledger
        self._destination = destination
        self._origin, self._offered = origin
        self._random = random.Random(seed)
        self._mine: list[ImageRecord] = []

    def run(self, stop: threading.Event) -> None:
        """Work until *stop* is set, or until the service does not answer."""
        while not stop.is_set() and self._step():
            pass

    def _step(self) -> bool:
        """Do one thing; return whether the service has answered."""
        self._mine = [record for record in self._mine if record.exists.sure is not False]
        if not self._mine or (len(self._mine) < _MOST_IMAGES and self._random.random() < 0.25):
            return self._create()
        record = self._random.choice(self._mine)
        record.touched = True
        if record.exists.sure is None:
            return self._delete(record)
        steps: list[tuple[int, Callable[[ImageRecord], bool]]] = [
            (6, self._patch),
            (4, self._tag),
            (3, self._member),
            (2 if len(self._mine) < _MOST_IMAGES else 12, self._delete),
        ]
        if record.data.sure is None:
            steps += [(25, self._upload), (10, self._stage), (8, self._download)]
        else:
            steps += [(4, self._copy_to_stores), (3, self._delete_from_store), (4, self._copy_to_region)]
        weights, calls = zip(*steps, strict=True)
        (call,) = self._random.choices(calls, weights)
        return call(record)

    # --- metadata -----------------------------------------------------------------------------------------

    def _create(self) -> bool:
        record = ImageRecord()
        self._ledger.add(record)
        self._mine.append(record)
        body = {"id": record.id, "name": record.id, "disk_format": "raw", "container_format": "bare", "revision": "0"}
        return self._write(record, record.exists, True, "create", "POST", "/v2/images", json=body)

    def _patch(self, record: ImageRecord) -> bool:
        revision = max(record.revision.possible) + 1
        body = json.dumps([{"op": "replace", "path": "/revision", "value": str(revision)}])
        path = f"/v2/images/{record.id}"
        answered = self._write(record, record.revision, revision, "patch", "PATCH", path, data=body, headers=_PATCH)
        if answered and record.revision.sure == revision:
            seen = self._client.ask("GET", path)
            if seen.is_done and seen.json().get("revision") != str(revision):
                self._ledger.violate("read after write:", record.id, seen.json().get("revision"), "not", revision)
        return answered

    def _tag(self, record: ImageRecord) -> bool:
        before = record.tags.possible[-1]
        tag = self._random.choice(("a", "b", "c"))
        after, method = (before - {tag}, "DELETE") if tag in before else (before | {tag}, "PUT")
        if len(record.tags.possible) > 1:
            # Its answer was lost: only the next check tells what it did.
            return True
        return self._write(record, record.tags, after, "tag", method, f"/v2/images/{record.id}/tags/{tag}")

    def _member(self, record: ImageRecord) -> bool:
        if len(record.members.possible) > 1:
            return True
        before = record.members.possible[-1]
        member = self._random.choice(("1" * 32, "2" * 32))
        path = f"/v2/images/{record.id}/members"
        if member in before:
            return self._write(record, record.members, before - {member}, "member", "DELETE", f"{path}/{member}")
        return self._write(record, record.members, before | {member}, "member", "POST", path, json={"member": member})

    def _delete(self, record: ImageRecord) -> bool:
        return self._write(record, record.exists, False, "delete", "DELETE", f"/v2/images/{record.id}")

    # --- data ---------------------------------------------------------------------------------------------

    def _bytes(self) -> tuple[bytes, str]:
        data = self._random.randbytes(self._random.choice(_SIZES))
        return data, hashlib.sha512(data).hexdigest()

    def _upload(self, record: ImageRecord) -> bool:
        data, digest = self._bytes()
        path = f"/v2/images/{record.id}/file"
        return self._write(record, record.data, digest, "upload", "PUT", path, data=data, headers=_OCTETS)

    def _stage(self, record: ImageRecord) -> bool:
        """Stage data and import it; the import is a promise once it was accepted."""
        data, digest = self._bytes()
        staged = self._client.ask("PUT", f"/v2/images/{record.id}/stage", data=data, headers=_OCTETS)
        if not staged.is_done:
            return staged.status != 0
        self._ledger.acknowledge("stage")
        return self._import(record, digest, {"name": "glance-direct"})

    def _download(self, record: ImageRecord) -> bool:
        path = self._random.choice(sorted(self._offered))
        digest = hashlib.sha512(self._offered[path]).hexdigest()
        return self._import(record, digest, {"name": "web-download", "uri": self._origin + path})

    def _import(self, record: ImageRecord, digest: str, method: dict[str, str]) -> bool:
        everywhere = self._random.random() < 0.5
        body = {"method": method, **({"all_stores": True} if everywhere else {})}
        path = f"/v2/images/{record.id}/import"
        answered = self._write(record, record.data, digest, "import", "POST", path, json=body)
        record.in_all_stores = everywhere and record.data.sure == digest
        return answered

    def _copy_to_stores(self, record: ImageRecord) -> bool:
        body = {"method": {"name": "copy-image"}, "all_stores": True}
        answer = self._admin.ask("POST", f"/v2/images/{record.id}/import", json=body)
        if answer.is_done:
            self._ledger.acknowledge("copy-image")
            record.in_all_stores = True
        return answer.status != 0

    def _delete_from_store(self, record: ImageRecord) -> bool:
        record.in_all_stores = False
        answer = self._admin.ask("DELETE", f"/v2/stores/{self._random.choice(STORES)}/{record.id}")
        if answer.is_done:
            self._ledger.acknowledge("delete from a store")
        return answer.status != 0

    def _copy_to_region(self, record: ImageRecord) -> bool:
        body = {"image_id": record.id, "tenant_id_dst": self._destination}
        record.copies_asked += 1
        answer = self._client.ask("POST", "/v2/extension/image_replicator/jobs", json=body)
        if answer.is_done:
            self._ledger.acknowledge("copy to a region")
            record.copies.append(Copy(answer.json()["job_id"]))
        elif answer.outcome is Outcome.REFUSED:
            record.copies_asked -= 1
        return answer.status != 0

    # --- all of them --------------------------------------------------------------------------------------

    def _write(
        self,
        record: ImageRecord,
        register: Register[Value],
        value: Value,
        what: str,
        method: str,
        path: str,
        **options: object,
    ) -> bool:
        """Send a write of *value* and note what is known of it; return whether the service has answered."""
        register.begin(value)
        answer: Answer = self._client.ask(method, path, **options)
        if answer.is_done:
            register.done(value)
            self._ledger.acknowledge(what)
        elif answer.outcome is Outcome.REFUSED:
            register.refused(value)
            self._judge_refusal(record, what, answer)
        return answer.status != 0

    def _judge_refusal(self, record: ImageRecord, what: str, answer: Answer) -> None:
        """An image that must be there is found; nothing of what we send is malformed."""
        if answer.status == 404 and record.exists.sure is True:
            self._ledger.violate("lost:", what, record.id, "is 404")
        elif answer.status not in (404, 409):
            self._ledger.violate("unexpected:", what, record.id, answer.status)
