"""A service of another kind, written on eclsdk's bases, does the same on this library as on eclsdk 1.11."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stock import venv_of

from support.http_stub import Answer, HttpStub, Keystone, Request

DRIVER = Path(__file__).parent / "drivers" / "use_dns.py"
Run = Callable[[Path], tuple[dict[str, Any], list[Any]]]

ZONE = {"id": "z1", "name": "a.example.", "ttl": 300, "shared": "TRUE", "description": "first", "status": "ACTIVE"}
OTHERS = [{"id": "z2", "name": "b.example."}, *({"id": f"t{n}", "name": "twin.example."} for n in (1, 2))]
RECORDS = [{"id": f"r{n}", "name": f"name {n}"} for n in range(1, 6)]
HOST = {"hostname": "ns1"}


def serve(stub: HttpStub) -> Keystone:
    """Script a Keystone, and a DNS service that its catalog names."""
    keystone = Keystone(stub)
    keystone.other_services = ("dns",)
    root = "/dns/jp1/v2"

    def create(request: Request) -> Answer:
        name = request.json["zone"]["name"]
        made = {**ZONE, **request.json["zone"], "id": "z1" if name == ZONE["name"] else "z2"}
        return Answer.json({"zone": made}, 201, location="/here")

    def change(request: Request) -> Answer:
        return Answer.json({"zone": {**ZONE, **request.json["zone"]}})

    def records(request: Request) -> Answer:
        marker = request.query.get("marker", ["r0"])[0]
        after = [each for each in RECORDS if each["id"] > marker]
        return Answer.json({"recordsets": after[: int(request.query.get("limit", ["3"])[0])]})

    stub.on("POST", f"{root}/zones", create)
    stub.on("GET", f"{root}/zones", Answer.json({"zones": [ZONE, *OTHERS]}))
    stub.on("GET", f"{root}/zones/z1", Answer.json({"zone": ZONE}))
    stub.on("PATCH", f"{root}/zones/z1", change)
    stub.on("DELETE", f"{root}/zones/z1", Answer(204))
    stub.on("POST", f"{root}/zones/z1/tasks/abandon", Answer.json({}, 202))
    for name in ("none", "b.example.", "twin.example.", "gone"):
        stub.on("GET", f"{root}/zones/{name}", Answer.json({"message": "no zone"}, 404))
    stub.on("DELETE", f"{root}/zones/gone", Answer.json({"message": "no zone"}, 404))
    slow = [
        Answer.json({"zone": {**ZONE, "id": "slow", "status": status}}) for status in ("PENDING", "PENDING", "ACTIVE")
    ]
    stub.on("GET", f"{root}/zones/slow", *slow)
    stub.on("GET", f"{root}/zones/z1/recordsets", records)
    stub.on("POST", f"{root}/zones/z1/recordsets", Answer.json({"id": "r", "records": ["192.0.2.1"]}, 201))
    stub.on("GET", f"{root}/nameservers/ns1", Answer.json(HOST))
    stub.on("PUT", f"{root}/nameservers/ns2", Answer.json({"hostname": "ns2"}))
    return keystone


@pytest.fixture
def run() -> Run:
    """A function that runs the service's user with a Python, and returns what it saw and what it sent."""

    def runs(python: Path) -> tuple[dict[str, Any], list[Any]]:
        with HttpStub() as stub:
            login = serve(stub).options(username="u", password="p", user_domain_id="default")
            done = subprocess.run(
                [python, "-W", "ignore", DRIVER],
                input=json.dumps({"login": login}),
                capture_output=True,
                text=True,
                timeout=90,
            )
            assert done.returncode == 0, done.stderr[-5000:]
            assert stub.unexpected == []
            return json.loads(done.stdout), [_seen(each) for each in stub.requests if each.path.startswith("/dns/")]

    return runs


def _seen(request: Request) -> list[Any]:
    """Return what counts of a request."""
    body = json.loads(request.body) if request.body else None
    return [request.method, request.path, request.query, body, request.headers.get("if-match")]


def test_on_this_library(run: Run) -> None:
    """The service works: formatters, parents, other IDs, pages by marker, own operations, protections, waiting."""
    facts, _sent = run(Path(sys.executable))

    assert facts == {
        "created": ["z1", True, 300, "/here"],
        "by proxy": "z2",
        "bad value": ["ValueError", None],
        "listed": ["a.example.", "b.example.", "twin.example.", "twin.example."],
        "got": ["a.example.", 300],
        "not got": ["ResourceNotFound", 404],
        "found": ["z1", "z2", None],
        "not found": ["ResourceNotFound", None],
        "two": ["DuplicateResource", None],
        "updated": 60,
        "by itself": "second",
        "unchanged": "z1",
        "abandoned": 202,
        "record": ["192.0.2.1"],
        "records": [each["name"] for each in RECORDS],
        "by pages": [each["name"] for each in RECORDS],
        "one page": ["name 1", "name 2"],
        "other ID": ["ns1", "ns1", "hostname"],
        "put": "ns2",
        "dict": [["description", "d"], ["id", "z"], ["name", "n"], ["ttl", 5]],
        "all names": ["description", "id", "is_shared", "location", "name", "seen", "status", "ttl"],
        "not allowed": ["MethodNotSupported", None],
        "of another class": [["ValueError", None]] * 3,
        "strict": [["ValueError", None], ["ValueError", None], "Zone"],
        "no body": ["ValueError", None],
        "waited": "ACTIVE",
        "deleted": True,
        "deleted again": [["ResourceNotFound", 404], None],
        "gone": "gone",
    }


def test_as_on_eclsdk(run: Run) -> None:
    """The same module sees the same and sends the same with eclsdk 1.11, request by request."""
    theirs, they_sent = run(venv_of("eclsdk") / "bin" / "python")
    ours, we_sent = run(Path(sys.executable))

    assert ours == theirs
    assert we_sent == they_sent
