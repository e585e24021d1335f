"""Which bytes of an image are there, which are missing, and in what pieces to fetch these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Span", "covered", "merged", "missing", "pieces"]

#: A range of bytes: from the first, to the one after the last.
Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same bytes as spans that are in order, not empty, and do not touch."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def missing(size: int, done: Iterable[Span]) -> list[Span]:
    """Return what *done* leaves of the first *size* bytes."""
    result: list[Span] = []
    reached = 0
    for start, end in merged(done):
        if reached < min(start, size):
            result.append((reached, min(start, size)))
        reached = max(reached, end)
    if reached < size:
        result.append((reached, size))
    return result


def covered(done: Iterable[Span]) -> int:
    """Return how many bytes *done* has from the very first on without a gap."""
    first = next(iter(merged(done)), (0, 0))
    return first[1] if first[0] == 0 else 0


def pieces(spans: Iterable[Span], longest: int) -> Iterator[Span]:
    """Cut *spans* into pieces of at most *longest* bytes, in order."""
    for start, end in spans:
        for at in range(start, end, longest):
            yield at, min(at + longest, end)
