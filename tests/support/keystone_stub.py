"""A Keystone with made-up tokens, and with the faults that a test wants."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from typing import Any

from support.http_stub import Answer, HttpStub, Keystone, Reply, Request

__all__ = ["TokenKeystone"]

_TOKENS = "/v3/auth/tokens"


class TokenKeystone(Keystone):
    """A Keystone on a stub that also says what tokens stand for."""

    def __init__(self, stub: HttpStub) -> None:
        super().__init__(stub)
        #: What each token says.
        self.documents: dict[str, dict[str, Any]] = {}
        #: Those that it says are valid only with ``allow_expired``.
        self.expired: set[str] = set()
        #: Questions about tokens, in order.
        self.questions: list[Request] = []
        #: Answers to questions instead of its own; None: its own.
        self.reply: Reply | None = None
        #: Cleared: it takes requests, and does not answer them until this is set.
        self.may_answer = threading.Event()
        self.may_answer.set()
        stub.on("GET", _TOKENS, self._answer)

    def issue(self, token: str, *roles: str, project: str | None = "a" * 32, seconds: float = 3600, **more: Any) -> str:
        """Know *token*, with *roles* on *project*, for so many *seconds*; *more* goes into its document."""
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        document: dict[str, Any] = {
            "user": {"id": "a-user", "name": "a-user", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": name, "name": name} for name in roles],
            "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            **more,
        }
        if project is not None:
            document["project"] = {"id": project, "name": "p", "domain": {"id": "default", "name": "Default"}}
        self.documents[token] = document
        return token

    @property
    def asked(self) -> Sequence[str]:
        """The tokens that it was asked about, in order."""
        return [question.headers["x-subject-token"] for question in self.questions]

    def _answer(self, request: Request) -> Answer:
        self.questions.append(request)
        self.may_answer.wait(60)
        if self.reply is not None:
            return self.reply(request) if callable(self.reply) else self.reply
        token = request.headers["x-subject-token"]
        document = self.documents.get(token)
        if document is None or (token in self.expired and "allow_expired" not in request.query):
            return Answer.json({"error": {"code": 404, "message": "Could not find token.", "title": "Not Found"}}, 404)
        return Answer.json({"token": document})
