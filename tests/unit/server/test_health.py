"""``/healthcheck`` and ``/readyz``, called as an ASGI server does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import PlainTextResponse

from ecl.server.http.health import Finding, Health


def ask(health: Health, path: str) -> tuple[int, Any]:
    """Return status and body of the answer to GET *path*."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    asyncio.run(health(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body) if body.startswith(b"{") else body


def made(*findings: Finding) -> Health:
    """Return one that finds *findings*, in front of an application that says "app"."""
    return Health(PlainTextResponse("app"), lambda: findings, {"/image/jp1"})


def test_what_is_fatal() -> None:
    """One fatal problem makes 503; others make it degraded."""
    fine, full, gone = Finding("a"), Finding("b", "is full", is_fatal=False), Finding("c", "is away")
    assert ask(made(fine), "/readyz") == (200, {"status": "ready", "checks": {"a": "ok"}})
    checks = {"a": "ok", "b": "is full"}
    assert ask(made(fine, full), "/readyz") == (200, {"status": "degraded", "checks": checks})
    assert ask(made(full, gone), "/image/jp1/readyz/")[0] == 503


def test_a_service_that_stops_is_not_ready() -> None:
    """After `drain` the balancer is told to send nothing more; the process still answers."""
    health = made(Finding("a"))
    health.drain()
    assert ask(health, "/readyz") == (503, {"status": "not ready", "checks": {"process": "is stopping"}})
    assert ask(health, "/healthcheck") == (200, b"OK")


def test_other_paths_are_the_application_s() -> None:
    """Only the root and the regions' addresses have these paths."""
    for path in ("/", "/v3/readyz", "/image/jp2/healthcheck", "/readyz/more"):
        assert ask(made(), path) == (200, b"app")
