"""What a test does to a running service: make requests fail, read the journal, move the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, overload

from ecl.testing._door import Door

__all__ = ["Clock", "Fault", "Faults", "RecordedRequest", "Requests"]


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A rule that the service follows.

    Attributes:
        used: How many requests it had met when it was read.
    """

    id: int
    method: str
    path: str
    after: int | None
    delay: float
    status: int | None
    headers: Mapping[str, str]
    cut: bool
    flip: bool
    times: int | None
    used: int


class Faults:
    """The rules by which requests fail. The first that matches a request counts."""

    def __init__(self, door: Callable[[], Door]) -> None:
        self._door = door

    def add(
        self,
        method: str = "*",
        path: str = "*",
        *,
        after: int | None = None,
        delay: float = 0,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        cut: bool = False,
        flip: bool = False,
        times: int | None = None,
    ) -> Fault:
        """
        Let requests fail from now on.

        Args:
            method: ``GET``, ``PUT`` …, or ``*`` for all.
            path: A pattern for the path, in which ``*`` stands for anything: ``/v2/images/*/file``. It may begin with
                ``/image/<region>``, to fail in one region only.
            after: Bytes of the body that pass first: those of the request for POST, PUT and PATCH, else those of the
                answer. Without any other fault it means *cut*.
            delay: Seconds to wait.
            status: Answer with this status; the service does not get the request.
            headers: Headers of that answer, such as ``{"Retry-After": "1"}``.
            cut: Close the connection.
            flip: Change one bit of the byte behind *after*.
            times: How many requests fail; None: all, until the rule is removed.

        Raises:
            Refused: The rule makes no sense; the message says why.
        """
        if after is not None and not (delay or status or cut or flip):
            cut = True
        rule = {
            "method": method, "path": path, "after": after, "delay": delay, "status": status,
            "headers": dict(headers or {}), "cut": cut, "flip": flip, "times": times,
        }  # fmt: skip
        return Fault(**self._door().call("POST", "/faults", rule))

    def list(self) -> list[Fault]:
        """Return all rules."""
        return [Fault(**each) for each in self._door().call("GET", "/faults")["faults"]]

    def remove(self, fault: Fault) -> None:
        """Remove one rule. Raises Refused if it is gone."""
        self._door().call("DELETE", f"/faults/{fault.id}")

    def clear(self) -> None:
        """Remove all rules."""
        self._door().call("DELETE", "/faults")


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """
    One request that the service got.

    Attributes:
        query: What follows ``?``, undecoded.
        status: Of the answer; 0 if there was none.
        received: Bytes of the request's body that were read.
        sent: Bytes of the answer's body.
        time: Seconds since the epoch, by the service's clock.
        seconds: How long it took; 0 while it lasts.
        fault: What of a fault it met; None if it met none.
        ended: False while it lasts.
    """

    method: str
    path: str
    query: str
    status: int
    user_agent: str
    request_id: str
    received: int
    sent: int
    time: float
    seconds: float
    fault: Mapping[str, Any] | None
    ended: bool


_FIELDS = tuple(each.name for each in fields(RecordedRequest))


class Requests(Sequence[RecordedRequest]):
    """The last 10,000 requests, in the order in which they came, read each time; the kit's own are left out."""

    def __init__(self, door: Callable[[], Door]) -> None:
        self._door = door

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RecordedRequest]: ...

    def __getitem__(self, index: int | slice) -> RecordedRequest | Sequence[RecordedRequest]:
        return self._read()[index]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._read())

    def clear(self) -> None:
        """Forget all requests."""
        self._door().call("DELETE", "/requests")

    def _read(self) -> list[RecordedRequest]:
        found = self._door().call("GET", "/requests")["requests"]
        return [RecordedRequest(**{name: each[name] for name in _FIELDS}) for each in found]


class Clock:
    """
    The service's clock: tokens, tasks and what is purged by age follow it. The leases of jobs do not.

    The clock of the test's own process is not moved: a client takes its token for valid until the service refuses it.
    """

    def __init__(self, door: Callable[[], Door]) -> None:
        self._door = door

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what is old enough to be purged by then is gone afterwards. Raises Refused."""
        self._door().call("POST", "/clock", {"seconds": seconds})

    def reset(self) -> None:
        """Go back to the host's time."""
        self._door().call("DELETE", "/clock")

    @property
    def time(self) -> float:
        """Seconds since the epoch."""
        return float(self._door().call("GET", "/clock")["time"])
