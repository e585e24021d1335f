"""
``/healthcheck``: the process answers. ``/readyz``: what it needs is there, so it can do its work.

Both need no token, so they name no paths and give no reasons; the log does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.http.routing import json_response

__all__ = ["Finding", "Health"]

_log = logging.getLogger(__name__)

#: Seconds that the checks get; a disk or a database that takes longer is not ready.
_TIMEOUT = 5.0
_ALLOWED = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the service needs, and what is wrong with it."""

    #: Such as "database" or "store jp1/folder".
    name: str
    #: For clients; None if all is well.
    problem: str | None = None
    #: False if the service goes on, but not with everything.
    is_fatal: bool = True


class Health:
    """
    Answers the two paths at the root and below *prefixes*; passes all other requests on to *app*.

    Args:
        findings: Looks at all that the service needs. It blocks.
        prefixes: Such as ``/image/jp1``.
    """

    def __init__(self, app: ASGIApp, findings: Callable[[], Sequence[Finding]], prefixes: Set[str]) -> None:
        self._app = app
        self._findings = findings
        self._prefixes = {"", *prefixes}
        self._running: asyncio.Task[Sequence[Finding]] | None = None
        self._reported: frozenset[str] = frozenset()
        self._is_draining = False

    def drain(self) -> None:
        """Say from now on that the service is not ready, because it stops. It may be called in a signal handler."""
        self._is_draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            prefix, _, last = scope["path"].rstrip("/").rpartition("/")
            if last in ("healthcheck", "readyz") and prefix in self._prefixes:
                response = PlainTextResponse("OK") if last == "healthcheck" else await self._ready()
                if scope["method"] not in _ALLOWED:
                    response = PlainTextResponse("Only GET.\n", 405, {"Allow": ", ".join(_ALLOWED)})
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _ready(self) -> Response:
        findings = await self._look()
        failed = any(finding.problem is not None and finding.is_fatal for finding in findings)
        degraded = any(finding.problem is not None for finding in findings)
        status = "not ready" if failed else "degraded" if degraded else "ready"
        checks = {finding.name: finding.problem or "ok" for finding in findings}
        return json_response({"status": status, "checks": checks}, 503 if failed else 200)

    async def _look(self) -> Sequence[Finding]:
        if self._is_draining:
            return [Finding("process", "is stopping")]
        # One at a time, so that clients cannot fill the threads while a disk hangs.
        if self._running is None:
            self._running = asyncio.create_task(asyncio.to_thread(self._findings))
            self._running.add_done_callback(self._finished)
        try:
            return await asyncio.wait_for(asyncio.shield(self._running), _TIMEOUT)
        except TimeoutError:
            return [Finding("checks", f"do not end within {_TIMEOUT:.0f} seconds")]

    def _finished(self, task: asyncio.Task[Sequence[Finding]]) -> None:
        self._running = None
        if task.cancelled() or task.exception() is not None:
            return
        wrong = frozenset(f"{each.name} {each.problem}" for each in task.result() if each.problem is not None)
        if wrong != self._reported:
            # Once, not for each request of a load balancer.
            _log.warning("readiness: %s", "; ".join(sorted(wrong)) or "all is well again")
            self._reported = wrong
