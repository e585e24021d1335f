"""The parts of an upload to a bucket: within the limits of S3, and in little memory as far as these allow."""

from __future__ import annotations

import pytest

from ecl.server.data.store.objects.parts import MAX_PARTS, parts_for

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40


@pytest.mark.parametrize(
    "size", [0, 1, 8 * MIB, 78 * GIB, 8 * MIB * MAX_PARTS, 8 * MIB * MAX_PARTS + 1, 156 * GIB, 157 * GIB, TIB, 5 * TIB]
)
def test_parts_of_a_known_size(size: int) -> None:
    """No object has too many parts, or one that is too large or too small for S3."""
    parts = parts_for(size)

    assert parts.most_bytes >= size
    assert 5 * MIB <= parts.size <= 5 * GIB


@pytest.mark.parametrize(("size", "at_once"), [(None, 2), (1, 4), (78 * GIB, 4), (79 * GIB, 2), (156 * GIB, 2)])
def test_memory_of_parts(size: int | None, at_once: int) -> None:
    """Up to 156 GiB, and for an unknown size, the parts on their way and the next one take at most 48 MiB."""
    parts = parts_for(size)

    assert parts.at_once == at_once
    assert parts.size * (parts.at_once + 1) <= 48 * MIB


def test_memory_of_the_largest_image() -> None:
    """An image of 1 TiB takes 210 MiB: one part on its way, and the next one."""
    parts = parts_for(TIB)

    assert 200 * MIB < parts.size * (parts.at_once + 1) <= 210 * MIB
