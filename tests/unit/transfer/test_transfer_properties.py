"""What holds for any spans, any order of writes, and any place where a connection breaks."""

from __future__ import annotations

import http.client
import itertools
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecl.image._transfer import part as _part
from ecl.image._transfer import spans as _spans
from ecl.image._transfer.file_hash import FileHasher
from ecl.image._transfer.part import PartFile, _filled
from ecl.image._transfer.stream import Stream
from ecl.image.v2.image import Image

_SIZE = 300
spans = st.lists(st.tuples(st.integers(0, _SIZE), st.integers(0, _SIZE)), max_size=12)
quick = settings(deadline=None, max_examples=60)


def bytes_of(some: Any) -> set[int]:
    """Return the bytes that spans stand for."""
    return {at for start, end in some for at in range(start, end)}


@given(spans)
def test_merged(some: list[_spans.Span]) -> None:
    """Merged spans are the same bytes, in order, with gaps between them."""
    merged = _spans.merged(some)

    assert bytes_of(merged) == bytes_of(some)
    assert all(start < end for start, end in merged)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(merged))


@given(st.integers(0, _SIZE), spans)
def test_missing(size: int, done: list[_spans.Span]) -> None:
    """What is missing and what is done are everything, and have nothing in common."""
    missing = _spans.missing(size, done)

    assert bytes_of(missing) == set(range(size)) - bytes_of(done)
    assert missing == _spans.merged(missing)


@given(spans)
def test_covered(done: list[_spans.Span]) -> None:
    """What is covered is there from the first byte on, and the byte after it is not."""
    covered = _spans.covered(done)

    assert set(range(covered)) <= bytes_of(done)
    assert covered not in bytes_of(done)


@given(spans, st.integers(1, 50))
def test_pieces(some: list[_spans.Span], longest: int) -> None:
    """Pieces are the same bytes, none twice, and none longer than allowed."""
    pieces = list(_spans.pieces(_spans.merged(some), longest))

    assert bytes_of(pieces) == bytes_of(some)
    assert sum(end - start for start, end in pieces) == len(bytes_of(some))
    assert all(0 < end - start <= longest for start, end in pieces)


#: Data with runs of zeros, some of them as long as a hole.
runs = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=8).map(
    lambda parts: b"".join((b"\0" if zero else b"\x07") * length for zero, length in parts)
)


@pytest.fixture(scope="module", autouse=True)
def _small_holes() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_part, "_HOLE", 8)
        patch.setattr(_part, "_ZEROS", bytes(8))
        patch.setattr(_part, "RECORD_EVERY", 30)
        yield


@given(runs)
def test_filled(block: bytes) -> None:
    """All that is left out is zeros, and no piece of the size of a hole that is zeros is written."""
    filled = _filled(block)

    assert all(not block[at] for at in set(range(len(block))) - bytes_of(filled))
    for at in range(0, len(block), 8):
        if not any(block[at : at + 8]):
            assert at not in bytes_of(filled)


def image_of(data: bytes) -> Image:
    """Return an image with this data."""
    return Image.existing(id="abc", status="active", size=len(data), checksum="0" * 32)


@quick
@given(st.data())
def test_part_file(data: st.DataObject) -> None:
    """Written in any order, left and taken up again, the file has the data; the hash follows it."""
    import hashlib

    content = data.draw(runs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disk"
        for last in (False, False, True):
            part = PartFile(path)
            part.bind(image_of(content))
            pieces = list(_spans.pieces(part.missing(), data.draw(st.integers(1, 60))))
            # The first ones come one behind the other, the rest in any order.
            first = 0 if part.resumed else data.draw(st.integers(0, len(pieces)))
            order = [*pieces[:first], *data.draw(st.permutations(pieces[first:]))]
            if not last:
                order = order[: data.draw(st.integers(0, len(order)))]
            hasher = FileHasher(part, "md5")
            if part.resumed:
                hasher.read_file()
            for number, (start, end) in enumerate(order):
                if number == first:
                    hasher.read_file()
                part.write(start, content[start:end])
                hasher.update(content[start:end])
            assert set(range(len(content))) - bytes_of(part.missing()) >= bytes_of(order) or not last
            if not part.missing():
                assert hasher.hexdigests()["md5"] == hashlib.md5(content).hexdigest()
                part.finish()
                break
            part.halt()
            hasher.close()
            assert part.keep() == bool(part.done)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]


@quick
@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 100), max_size=6), st.booleans(), st.data())
def test_stream(content: bytes, breaks: list[int], ranges: bool, data: st.DataObject) -> None:
    """Wherever a connection breaks, a stream is exactly the bytes that were asked for."""
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, len(content)))
    left = list(breaks)

    def answer(wanted: str | None, cancelled: object) -> Any:
        first, last = 0, len(content)
        if wanted and ranges:
            begin, _, until = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), int(until) + 1 if until else last
        body = content[first:last]
        # A connection that brings nothing new counts as a failure, and four of these are the end.
        most = max(left.pop(0), end - first if not ranges else 1) if left else len(body)
        return _Answer(body, most, 206 if wanted and ranges else 200, first, len(content))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecl._http.retry.pause", lambda *arguments, **named: True)
        stream = Stream(SimpleNamespace(open=answer), image_of(content), start, end)  # type: ignore[arg-type]

        assert b"".join(stream.blocks()) == content[start:end]
    assert stream.offset == end


class _Answer:
    """An answer whose body breaks off after *most* bytes."""

    def __init__(self, body: bytes, most: int, status: int, first: int, size: int) -> None:
        self.status_code = status
        self.url = "http://service/file"
        self.raw = SimpleNamespace()
        self.headers = {"Content-Length": str(len(body))}
        if status == 206:
            self.headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{size}"
        self._body = body
        self._most = most

    def iter_content(self, size: int) -> Any:
        for at in range(0, min(self._most, len(self._body)), 17):
            yield self._body[at : min(at + 17, self._most)]
        if self._most < len(self._body):
            raise http.client.IncompleteRead(b"")

    def close(self) -> None:
        """Nothing is open."""
