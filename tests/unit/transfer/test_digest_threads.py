"""Hashes with threads of their own, and without where processors are short."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from ecl.image._transfer import digest as _digest
from ecl.image._transfer.digest import BLOCK, Digest, buffers


@pytest.fixture(params=[0, 1])
def slots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many hashes may have threads at once."""
    monkeypatch.setattr(_digest, "_with_threads", threading.BoundedSemaphore(request.param))
    return int(request.param)


def test_one_has_threads(slots: int) -> None:
    """No more hashes have threads than may; all are right; who ends, twice even, makes room for one other."""
    with Digest("md5") as first, Digest("md5") as second:
        assert [first.holds > 1, second.holds > 1] == [bool(slots), False]
        for digest in (first, second):
            digest.update(b"some")
            digest.update(b"thing")
            assert digest.hexdigests() == {"md5": hashlib.md5(b"something").hexdigest()}
        first.close()

        with Digest("md5") as third, Digest("md5") as fourth:
            assert [third.holds > 1, fourth.holds > 1] == [bool(slots), False]


def test_closed_goes_on(slots: int) -> None:
    """After close(), what comes is hashed behind what came before."""
    with Digest("sha256") as digest:
        digest.update(b"some")
        digest.close()
        digest.update(b"thing")

        assert digest.hexdigests() == {"sha256": hashlib.sha256(b"something").hexdigest()}


def test_memory_is_used_again(slots: int) -> None:
    """Blocks older than the last *holds* may be overwritten."""
    blocks = [os.urandom(BLOCK) for _ in range(20)]
    with Digest("md5", "sha512") as digest:
        for block, buffer in zip(blocks, buffers(digest.holds), strict=False):
            buffer[:] = block
            digest.update(buffer)
        found = digest.hexdigests()

    whole = b"".join(blocks)
    assert found == {name: hashlib.new(name, whole).hexdigest() for name in ("md5", "sha512")}


def test_a_single_block_gets_no_thread(slots: int) -> None:
    """Up to a block it is hashed by the thread that sends it; one byte more gets a thread, if one may have it."""
    with Digest("sha512", size=BLOCK) as small, Digest("sha512", size=BLOCK + 1) as large:
        assert [small.holds > 1, large.holds > 1] == [False, bool(slots)]
        small.update(b"something")

        assert small.hexdigests() == {"sha512": hashlib.sha512(b"something").hexdigest()}
