"""Where an upload's bytes come from, and their hashes on the way."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image._transfer import progress as _progress
from ecl.image._transfer.digest import BLOCK, DEPTH, Digest
from ecl.image._transfer.progress import Progress
from ecl.image._transfer.source import Source

DATA = bytes(range(256)) * 20_000  # a little less than five blocks


def read(source):
    """Return everything that a source yields."""
    return b"".join(source.blocks())


def pipe(data):
    """Return the reading end of a pipe that gets *data*, and the thread that writes it."""
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    return os.fdopen(reading, "rb"), thread


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO, "path", "Path", "file", "callable"])
def test_rewindable(kind, tmp_path):
    """A path, bytes in any form, a seekable file and a callable are read as often as one likes."""
    path = tmp_path / "disk"
    path.write_bytes(DATA)
    data = {"path": str(path), "Path": path, "callable": lambda: [DATA]}.get(kind)
    with path.open("rb") as file:
        with Source(file if kind == "file" else data or kind(DATA)) as source:
            assert source.rewindable
            assert source.size == (None if kind == "callable" else len(DATA))
            assert read(source) == DATA
            assert source.inspect().disk_format == "raw"
            assert read(source) == DATA
        assert not file.closed


def test_blocks_are_bounded(tmp_path):
    """A file is read in blocks of BLOCK bytes."""
    (tmp_path / "disk").write_bytes(DATA)
    with Source(tmp_path / "disk") as source:
        sizes = [len(block) for block in source.blocks()]

    assert sizes[:-1] == [BLOCK] * (len(sizes) - 1)
    assert sum(sizes) == len(DATA)


def test_file_from_where_it_stands():
    """A file is read from where it stands, each time."""
    file = io.BytesIO(b"header" + DATA)
    file.seek(6)
    with Source(file) as source:
        assert source.size == len(DATA)
        assert read(source) == read(source) == DATA


def test_pipe():
    """What cannot seek is read once; its size is not known before."""
    file, writer = pipe(DATA)
    with file, Source(file) as source:
        assert (source.size, source.rewindable) == (None, False)
        assert source.inspect().disk_format == "raw"
        assert read(source) == DATA
        with pytest.raises(exceptions.InvalidRequest, match="can be read only once"):
            read(source)
    writer.join()


@pytest.mark.parametrize(
    "blocks",
    [[], [b""], [b"", b"a", b"", b"bc", b""], [bytearray(b"abc"), memoryview(b"d")], [DATA], [b"x" * 10] * 100_000],
    ids=["none", "empty", "with holes", "kinds", "one large", "crumbs"],
)
@pytest.mark.parametrize("look", [False, True])
def test_iterable(blocks, look):
    """An iterable of bytes is read once, in order; empty blocks do not end it, and looking at it loses nothing."""
    with Source(iter(blocks)) as source:
        if look:
            source.inspect()
            source.inspect()
        assert read(source) == b"".join(blocks)
        with pytest.raises(exceptions.InvalidRequest, match="only once"):
            read(source)


@pytest.mark.parametrize("data", [b"", io.BytesIO(), bytearray()])
def test_empty(data):
    """No bytes at all are an image, too."""
    with Source(data) as source:
        assert source.size == 0
        assert read(source) == b""
        assert source.inspect().disk_format == "raw"


@pytest.mark.parametrize("blocks", [["text"], [b"a", "b"], [1], [None], {"a": 1}])
def test_iterable_of_something_else(blocks):
    """What yields something else than bytes is refused when that comes."""
    with Source(blocks) as source, pytest.raises(exceptions.InvalidRequest, match=r"yields .*, not bytes"):
        read(source)


def test_text_file(tmp_path):
    """A file opened as text is refused, and the right mode named."""
    (tmp_path / "disk").write_text("x")
    with (tmp_path / "disk").open() as file, pytest.raises(exceptions.InvalidRequest, match="mode 'rb'"):
        Source(file)
    with pytest.raises(exceptions.InvalidRequest, match="mode 'rb'"):
        Source(io.StringIO("x"))


@pytest.mark.parametrize("data", [None, 5, 1.5, object()])
def test_nothing_to_read(data):
    """What cannot be read is refused by its type."""
    with pytest.raises(exceptions.InvalidRequest, match=f"not {type(data).__name__}"):
        Source(data)


@pytest.mark.skipif(not Path("/dev/zero").is_char_device(), reason="this system has no /dev/zero")
def test_device_of_unknown_size():
    """A device is not taken for an empty file, nor read without end; the null device is an empty file."""
    with pytest.raises(exceptions.InvalidRequest, match="/dev/zero is a device of unknown size"):
        Source("/dev/zero")
    with Source(os.devnull) as source:
        assert read(source) == b""


def test_paths_that_cannot_be_read(tmp_path):
    """A missing file, a folder and a path that is none are refused by name."""
    with pytest.raises(exceptions.InvalidRequest, match="no-such cannot be read: No such file"):
        Source(tmp_path / "no-such")
    with pytest.raises(exceptions.InvalidRequest, match="is a folder"):
        Source(tmp_path)
    for path in ("", "a\0b", "~no-such-user/x"):
        with pytest.raises(exceptions.InvalidRequest):
            Source(path)


def test_home(home):
    """A path may begin with ~."""
    (Path(home) / "disk").write_bytes(b"abc")
    with Source("~/disk") as source:
        assert read(source) == b"abc"


def test_closed_file(tmp_path):
    """A closed file is refused."""
    (tmp_path / "disk").write_bytes(b"x")
    with (tmp_path / "disk").open("rb") as file:
        pass
    with pytest.raises(exceptions.InvalidRequest, match="is closed"):
        Source(file)


def test_file_for_writing(tmp_path):
    """A file that is open for writing only cannot be read."""
    with (tmp_path / "disk").open("wb") as file, Source(file) as source:
        with pytest.raises(exceptions.FileFailure, match="cannot be read"):
            source.inspect()
        with pytest.raises(exceptions.FileFailure, match="cannot be read"):
            read(source)


@pytest.mark.parametrize("change", [-1000, 1000])
def test_file_that_changes(change, tmp_path):
    """Of a file that shrinks or grows while it is read, the last block is not passed on."""
    path = tmp_path / "disk"
    path.write_bytes(DATA)
    got = 0
    with Source(path) as source:
        blocks = source.blocks()
        got += len(next(blocks))
        os.truncate(path, len(DATA) + change)
        rest = []
        with pytest.raises(exceptions.FileFailure, match=f"changed while it was read: .* not {len(DATA)}"):
            rest.extend(blocks)

    assert got + sum(map(len, rest)) < len(DATA)


def test_failing_file():
    """A disk that fails on the way is a FileFailure with the system's words."""

    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with Source(Broken()) as source, pytest.raises(exceptions.FileFailure, match="Input/output error"):
        read(source)


# --- hashes -----------------------------------------------------------------------------------------------


def test_digest():
    """Each algorithm hashes all blocks, in order."""
    with Digest("md5", "sha256", "sha512") as digest:
        for start in range(0, len(DATA), 100_000):
            digest.update(DATA[start : start + 100_000])
        found = digest.hexdigests()

    assert found == {name: hashlib.new(name, DATA).hexdigest() for name in ("md5", "sha256", "sha512")}
    assert digest.hexdigests() == found


def test_digest_of_nothing():
    """No block at all has a hash."""
    with Digest("md5") as digest:
        assert digest.hexdigests() == {"md5": hashlib.md5().hexdigest()}


def test_digest_leaves_no_thread():
    """Whatever ends the transfer, the hashing threads end with it."""
    before = threading.active_count()

    def transfer():
        with Digest("md5", "sha512") as digest:
            assert threading.active_count() == before + 2
            for _ in range(DEPTH + 3):
                digest.update(b"x" * 1000)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer()

    assert threading.active_count() == before


def test_digest_of_an_unknown_algorithm():
    """An algorithm that nobody knows is an error, and leaves no thread."""
    before = threading.active_count()
    with pytest.raises(ValueError, match="no-such"):
        Digest("no-such")

    assert threading.active_count() == before


# --- progress ---------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless told otherwise."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(_progress, "time", made)
    return made


def test_progress(clock):
    """The callback is called ten times a second at most, and at the end."""
    told = []
    progress = Progress(lambda done, total: told.append((done, total)), 1000)
    for done in range(0, 1000, 10):
        progress.at(done)
        clock.now += 0.011
    progress.end(1000)

    assert told[0] == (0, 1000)
    assert told[-1] == (1000, 1000)
    assert len(told) == 100 // 10 + 1


def test_progress_without_a_total(clock):
    """A total that is not known is None until the end."""
    told = []
    progress = Progress(lambda *arguments: told.append(arguments), None)
    progress.at(5)
    progress.end(7)

    assert told == [(5, None), (7, 7)]


def test_no_progress():
    """Nobody need be told."""
    Progress(None, 1).at(1)
    Progress(None, 1).end(1)


def test_failure_of_an_iterable():
    """A FileFailure that an iterable raises keeps its own words, though it is an OSError."""

    def blocks():
        yield b"x"
        raise exceptions.FileFailure("disk differs from the manifest")

    with Source(blocks) as source, pytest.raises(exceptions.FileFailure, match=r"^disk differs"):
        read(source)
