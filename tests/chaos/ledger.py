"""What clients were told, and so what the service may hold now."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Copy", "ImageRecord", "Ledger", "Register"]

Value = TypeVar("Value", bound=Hashable)


class Register(Generic[Value]):
    """
    A value that one client writes, one write after the other.

    A write that was acknowledged leaves one possible value. One whose answer was lost leaves two: it may have happened.
    """

    def __init__(self, value: Value) -> None:
        self.possible = [value]

    def begin(self, value: Value) -> None:
        """A write was sent."""
        self.possible.append(value)

    def done(self, value: Value) -> None:
        """It was acknowledged."""
        self.possible = [value]

    def refused(self, value: Value) -> None:
        """It was refused, so it has not happened."""
        self.possible.remove(value)

    def allows(self, value: Value) -> bool:
        """Take *value* as what is there now, and return whether it may be."""
        allowed = value in self.possible
        self.possible = [value]
        return allowed

    @property
    def sure(self) -> Value | None:
        """The value, if only one is possible."""
        return self.possible[0] if len(set(self.possible)) == 1 else None


@dataclass
class Copy:
    """A copy to the other region that the service has accepted."""

    job_id: str
    #: The job ended, and was checked.
    checked: bool = False


@dataclass
class ImageRecord:
    """One image, which one client at a time writes to."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    exists: Register[bool] = field(default_factory=lambda: Register(False))
    #: SHA-512 of its data; None: it has none.
    data: Register[str | None] = field(default_factory=lambda: Register[str | None](None))
    revision: Register[int] = field(default_factory=lambda: Register(0))
    tags: Register[frozenset[str]] = field(default_factory=lambda: Register(frozenset[str]()))
    members: Register[frozenset[str]] = field(default_factory=lambda: Register(frozenset[str]()))
    #: The last thing asked of its stores was a copy to all of them, and that was accepted.
    in_all_stores: bool = False
    copies: list[Copy] = field(default_factory=list)
    #: Copies whose acceptance may have been lost.
    copies_asked: int = 0
    #: It was used since the last check.
    touched: bool = True


class Ledger:
    """Every image that clients have made, what was acknowledged, and what turned out wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.images: dict[str, ImageRecord] = {}
        self.acknowledged: dict[str, int] = {}
        self.violations: list[str] = []

    def add(self, record: ImageRecord) -> None:
        """Add an image before it is created."""
        with self._lock:
            self.images[record.id] = record

    def acknowledge(self, what: str) -> None:
        """Count an acknowledged write."""
        with self._lock:
            self.acknowledged[what] = self.acknowledged.get(what, 0) + 1

    def violate(self, *what: object) -> None:
        """Note that the service broke a promise."""
        with self._lock:
            self.violations.append(" ".join(map(str, what)))

    def forget(self, records: Iterable[ImageRecord]) -> None:
        """Drop images that are deleted, and checked."""
        with self._lock:
            for record in records:
                self.images.pop(record.id, None)
