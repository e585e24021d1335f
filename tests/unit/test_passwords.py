"""How passwords are stored and checked."""

from __future__ import annotations

import pytest

from ecl.server.identity.local.passwords import (
    NO_PASSWORD,
    generate_password,
    hash_password,
    random_text,
    verify_password,
)


@pytest.mark.parametrize("password", ["x", "Zoë und 日本", "$", "a" * 4096, "\udc80"])
def test_round_trip(password):
    """What was stored of a password knows it, and no other."""
    stored = hash_password(password)

    assert verify_password(password, stored)
    assert not verify_password(password + " ", stored)


def test_stored_form():
    """The stored text names its parameters, fits its column, is salted, and does not have the password."""
    first, second = hash_password("s3cret"), hash_password("s3cret")

    assert first.startswith("scrypt$131072$8$1$")
    assert len(first) <= 255
    assert first != second
    assert "s3cret" not in first


@pytest.mark.parametrize("stored", [None, NO_PASSWORD])
@pytest.mark.parametrize("password", ["", "!", "x"])
def test_nobody(stored, password):
    """Nothing matches where there is no password."""
    assert not verify_password(password, stored)


def test_generated():
    """Generated passwords differ and need no quoting."""
    made = {generate_password() for _ in range(100)}

    assert len(made) == 100
    assert all(word.replace("-", "").replace("_", "").isalnum() and len(word) == 24 for word in made)


def test_random_text_is_no_option(monkeypatch):
    """What would begin with a hyphen is drawn again: a command takes such a word for one of its options."""
    drawn = iter(["-first", "--second", "third-"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: next(drawn))

    assert random_text(18) == "third-"
