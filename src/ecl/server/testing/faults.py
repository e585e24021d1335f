"""Faults by rule: which request fails, how, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

import msgspec

from ecl.server.errors import BadRequest, NotFound

__all__ = ["Fault", "Faults"]

#: Most rules at a time, and the longest delay in seconds.
_MOST_RULES = 1000
_LONGEST_DELAY = 3600
#: Methods whose request has the body that `after` counts; for others it counts the body of the answer.
_WITH_BODY = ("POST", "PUT", "PATCH")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One rule.

    Attributes:
        method: The method it is for; ``*``: all.
        path: A pattern for the path, with or without ``/image/<region>``: ``*`` stands for anything.
        after: Bytes of the body that pass before the fault. None: before the request is handled; flip: the first byte.
        delay: Seconds to wait.
        status: Status of the answer, instead of the service's own.
        headers: Headers of that answer.
        cut: Close the connection.
        flip: Change one bit of the byte.
        times: How many requests it is for; None: all, until it is removed.
    """

    method: str = "*"
    path: str = "*"
    after: int | None = None
    delay: float = 0
    status: int | None = None
    headers: Mapping[str, str] = {}
    cut: bool = False
    flip: bool = False
    times: int | None = None

    def matches(self, method: str, path: str) -> bool:
        """Return True if the fault is for a request."""
        short = f"/{path.split('/', 3)[-1]}" if path.startswith("/image/") else path
        return self.method.upper() in ("*", method) and any(fnmatchcase(each, self.path) for each in (path, short))

    def is_of_request(self, method: str) -> bool:
        """Return True if the bytes that count are those of the request, False if they are the answer's."""
        return method in _WITH_BODY


class Faults:
    """The rules, in the order in which they were added: the first that matches a request counts. For one event loop."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._rules: dict[int, Fault] = {}
        self._used: dict[int, int] = {}

    def add(self, fault: Fault) -> dict[str, Any]:
        """
        Add a rule, and return it with its ID.

        Raises:
            BadRequest: It cannot be followed; the message says why.
        """
        _check(fault)
        if len(self._rules) >= _MOST_RULES:
            raise BadRequest(f"There are {_MOST_RULES} faults, which is the most; remove some.")
        number = next(self._numbers)
        self._rules[number], self._used[number] = fault, 0
        return self._shown(number)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault of a request, None if it has none. A rule that was for so many requests ends with it."""
        for number, fault in self._rules.items():
            if fault.matches(method, path) and (fault.times is None or self._used[number] < fault.times):
                self._used[number] += 1
                return fault
        return None

    def list(self) -> list[dict[str, Any]]:
        """Return all rules, each with its ID and how many requests it has met."""
        return [self._shown(number) for number in self._rules]

    def remove(self, number: int) -> None:
        """Remove one rule. Raises NotFound."""
        if self._rules.pop(number, None) is None:
            raise NotFound(f"There is no fault {number}.")

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def _shown(self, number: int) -> dict[str, Any]:
        fault = self._rules[number]
        return {"id": number, **msgspec.structs.asdict(fault), "used": self._used[number]}


def _check(fault: Fault) -> None:
    if not (fault.delay or fault.cut or fault.flip or fault.status is not None):
        raise BadRequest("A fault needs a delay, a status, cut or flip.")
    if not fault.path.startswith(("/", "*")):
        raise BadRequest(f"The path {fault.path!r} of a fault must begin with / or *.")
    if sum((fault.cut, fault.flip, fault.status is not None)) > 1:
        raise BadRequest("A fault is only one of status, cut and flip.")
    if not 0 <= fault.delay <= _LONGEST_DELAY:
        raise BadRequest(f"The delay of a fault is 0 to {_LONGEST_DELAY} seconds, not {fault.delay}.")
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise BadRequest(f"The status of a fault is 200 to 599, not {fault.status}.")
    if fault.status is None and fault.headers:
        raise BadRequest("The headers of a fault need a status.")
    if not all(f"{name}{value}".isascii() and f"{name}{value}".isprintable() for name, value in fault.headers.items()):
        raise BadRequest("The headers of a fault must be printable ASCII.")
    if fault.after is not None and fault.after < 0:
        raise BadRequest(f"The bytes after which a fault comes are 0 or more, not {fault.after}.")
    if fault.after is not None and fault.status is not None and fault.method.upper() not in _WITH_BODY:
        raise BadRequest(f"A status after so many bytes needs one of the methods {', '.join(_WITH_BODY)}.")
    if fault.times is not None and fault.times < 1:
        raise BadRequest(f"A fault is for 1 request or more (times), not {fault.times}.")
