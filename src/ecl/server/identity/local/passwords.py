"""Passwords and secrets: hash them, check them and generate them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["NO_PASSWORD", "generate_password", "hash_password", "random_text", "verify_password"]

#: scrypt's cost: 128 * N * R bytes (16 MiB) of memory and about 50 ms of one core.
N, R, P = 2**14, 8, 1
#: No password matches this hash: for users who never log in.
NO_PASSWORD = "!"  # noqa: S105


def generate_password() -> str:
    """Return a new random password of 144 bits, in characters that need no quoting."""
    return random_text(18)


def random_text(size: int) -> str:
    """Return *size* random bytes as text that needs no quoting and does not look like an option."""
    while (text := secrets.token_urlsafe(size)).startswith("-"):
        pass
    return text


def hash_password(password: str) -> str:
    """Return the hash of *password* to store: ``scrypt$n$r$p$salt$key``."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(key)}"


def verify_password(password: str, stored: str | None) -> bool:
    """
    Return True if *stored* was made from *password*.

    For None (no such user) and `NO_PASSWORD` it returns False after the same time as for a wrong password, so that
    the time does not tell which users exist.
    """
    if stored is None or stored == NO_PASSWORD:
        _scrypt(password, b"nobody at all...", N, R, P)
        return False
    _, n, r, p, salt, key = stored.split("$")
    computed = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(computed, base64.b64decode(key))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # maxmem is twice what scrypt needs: OpenSSL counts its own book-keeping, too.
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p, dklen=32
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
