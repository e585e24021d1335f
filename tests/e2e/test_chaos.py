"""A few rounds of `make chaos`, and proof that its checks see what they look for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from chaos.ledger import ImageRecord
from chaos.run import Chaos
from ecl.server.data.store.marker import NAME as MARKER

ROUNDS = 6


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    """A service with clients that have not begun."""
    with Chaos(seed=7).running() as chaos:
        yield chaos


def _files(chaos: Chaos) -> list[Path]:
    return [path for path in (chaos.service.data_dir / "images").rglob("*") if path.is_file() and path.name != MARKER]


def _execute(chaos: Chaos, statement: str) -> None:
    with chaos.service.database.write() as connection:
        connection.execute(text(statement))


def _flip_a_bit(chaos: Chaos) -> None:
    file = max(_files(chaos), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _promise_more(chaos: Chaos) -> None:
    kept: ImageRecord = next(record for record in chaos.ledger.images.values() if record.exists.sure)
    kept.revision.done(kept.revision.possible[0] + 1)


def test_killed_again_and_again(chaos: Chaos) -> None:
    """Nothing that was acknowledged is lost or undone, nothing is served wrong, nothing is left or stuck."""
    for _ in range(ROUNDS):
        chaos.round()
    chaos.check_all()

    assert chaos.ledger.violations == []
    assert set(chaos.ledger.acknowledged) >= {"create", "upload", "patch", "tag", "delete", "import"}, chaos.report()


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        (_flip_a_bit, "damaged bytes"),
        (lambda chaos: _files(chaos)[0].unlink(), "missing bytes"),
        (lambda chaos: _files(chaos)[0].with_name("0f" * 18).write_bytes(b"x"), "stray bytes"),
        (lambda chaos: _execute(chaos, "UPDATE images SET status = 'saving' WHERE status = 'active'"), "stuck"),
        (lambda chaos: _execute(chaos, "UPDATE images SET status = 'deleted'"), "lost"),
        (_promise_more, "revision"),
    ],
    ids=["a flipped bit", "a lost file", "a stray file", "a stuck image", "a lost image", "a lost write"],
)
def test_damage_is_seen(chaos: Chaos, damage: Callable[[Chaos], object], seen: str) -> None:
    """The checks find what they look for: each kind of damage is a broken promise."""
    chaos.round()
    assert chaos.ledger.violations == []
    damage(chaos)

    chaos.check_all()

    assert any(violation.startswith(seen) for violation in chaos.ledger.violations), chaos.ledger.violations
